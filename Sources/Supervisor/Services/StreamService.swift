// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
import ContainerdAPI
import LinuxSystem
import SwiftProtobuf
import Synchronization

/// containerd's streaming service: a client opens a stream under a name of its choice, then names it in a request of
/// another service (transfer), which sends progress or receives data over it.
package final class StreamService: Sendable {
    private let streams = Mutex<[String: ClientStream]>([:])

    package init() {}

    /// The open stream that a request names.
    func stream(_ namespace: String, _ id: String) throws(ServiceError) -> ClientStream {
        guard let stream = streams.withLock({ $0[namespace + "/" + id] }) else {
            throw ServiceError(.notFound, "stream \"\(id)\": not found")
        }
        return stream
    }

    package func register(on table: inout RPCHandlerTable) {
        table.bidirectional("containerd.services.streaming.v1.Streaming", "Stream", open)
    }

    /// Serves one stream: its first message names it, the answer says that the name can be used now. The call lasts until
    /// the server side has finished with the stream, or the client goes away.
    private func open(
        _ messages: TTRPCMessages<Google_Protobuf_Any>, _ context: RPCContext,
        _ send: @escaping @Sendable (Google_Protobuf_Any) async throws -> Void
    ) async throws {
        let namespace = try context.namespace()
        var iterator = messages.makeAsyncIterator()
        guard let first = try await iterator.next(),
            let start = try first.unpacked(as: Containerd_Services_Streaming_V1_StreamInit.self), !start.id.isEmpty
        else { throw ServiceError(.invalidArgument, "a stream starts with its id") }
        let key = namespace + "/" + start.id
        let stream = ClientStream(send: send)
        let isNew = streams.withLock { streams in
            guard streams[key] == nil else { return false }
            streams[key] = stream
            return true
        }
        guard isNew else { throw ServiceError(.alreadyExists, "stream \"\(start.id)\": already exists") }
        defer { streams.withLock { $0[key] = nil } }
        try await send(try Google_Protobuf_Any(packing: Google_Protobuf_Empty()))
        try await stream.serve(messages)
    }
}

/// One open stream, as the service that uses it sees it.
final class ClientStream: Sendable {
    /// Sends one message to the client.
    let send: @Sendable (Google_Protobuf_Any) async throws -> Void
    /// What the client sends, each an encoded Any; ends when it closes its side.
    let received: AsyncThrowingStream<[UInt8], any Error>
    private let input: AsyncThrowingStream<[UInt8], any Error>.Continuation
    private let finished: AsyncStream<Void>
    private let finish: AsyncStream<Void>.Continuation

    init(send: @escaping @Sendable (Google_Protobuf_Any) async throws -> Void) {
        self.send = send
        (received, input) = AsyncThrowingStream.makeStream()
        (finished, finish) = AsyncStream.makeStream()
    }

    /// The next message of the type, others are skipped; nil when the client has closed its side.
    func next<M: Message>(_ type: M.Type, isolation: isolated (any Actor)? = #isolation) async throws -> M? {
        var messages = received.makeAsyncIterator()
        while let bytes = try await messages.next(isolation: isolation) {
            if let message = try Google_Protobuf_Any(serializedBytes: bytes).unpacked(as: M.self) { return message }
        }
        return nil
    }

    /// Ends the stream; to be called by the service that used it.
    func close() { finish.finish() }

    /// Passes on what the client sends until `close`, or until the client has gone.
    fileprivate func serve(_ messages: TTRPCMessages<Google_Protobuf_Any>) async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [input] in
                do {
                    for try await message in messages.encoded { input.yield(message) }
                    input.finish()
                } catch {
                    input.finish(throwing: error)
                }
            }
            for await _ in finished {}  // the client may have sent all while the user of the stream still answers
            group.cancelAll()
        }
        try Task.checkCancellation()
    }
}
