// SPDX-License-Identifier: Apache-2.0
package import SwiftProtobuf
package import TTRPC

/// The messages of a server's stream. Ending the iteration's task, or dropping the sequence, gives the stream up.
package struct TTRPCMessages<Element: Message>: AsyncSequence, Sendable {
    let bytes: AsyncThrowingStream<[UInt8], any Error>

    /// The messages as they came, undecoded.
    package var encoded: AsyncThrowingStream<[UInt8], any Error> { bytes }

    package struct AsyncIterator: AsyncIteratorProtocol {
        var bytes: AsyncThrowingStream<[UInt8], any Error>.Iterator

        package mutating func next() async throws -> Element? {
            try await next(isolation: #isolation)
        }

        package mutating func next(isolation actor: isolated (any Actor)?) async throws -> Element? {
            guard let next = try await bytes.next(isolation: actor) else { return nil }
            return try decodeMessage(next)
        }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(bytes: bytes.makeAsyncIterator()) }
}

/// A stream in both directions; `messages` ends when the server has ended it, and throws its failure.
package struct TTRPCBidirectionalStream<Request: Message, Response: Message>: Sendable {
    let client: TTRPCClient
    let id: UInt32
    package let messages: TTRPCMessages<Response>

    /// Sends one message; waits while the peer does not keep up.
    package func send(_ message: Request) async throws { try await send(encoded: message.serializedBytes()) }

    /// Sends one message that is encoded already.
    package func send(encoded message: [UInt8]) async throws {
        await client.connection.waitForRoom()
        try client.connection.enqueue(Frame(streamID: id, type: .data, payload: message))
    }

    /// Tells the server that no more will be sent; it may go on answering.
    package func closeSend() { client.sendEnd(id) }

    /// Gives the stream up in both directions.
    package func cancel() { client.cancel(id) }
}

extension TTRPCClient {
    /// Sends one request and receives a stream of answers.
    package func serverStream<Request: Message, Response: Message>(
        service: String, method: String, _ request: Request, metadata: [RPCMetadata] = [],
        returning: Response.Type = Response.self
    ) throws -> TTRPCMessages<Response> {
        let payload: [UInt8] = try request.serializedBytes()
        let call = RPCRequest(service: service, method: method, payload: payload, metadata: metadata)
        let (_, bytes) = try openStream(call, flags: .remoteClosed)
        return TTRPCMessages(bytes: bytes)
    }

    /// Opens a stream in both directions.
    package func bidirectionalStream<Request: Message, Response: Message>(
        service: String, method: String, metadata: [RPCMetadata] = [], sending: Request.Type = Request.self,
        returning: Response.Type = Response.self
    ) throws -> TTRPCBidirectionalStream<Request, Response> {
        let call = RPCRequest(service: service, method: method, payload: [], metadata: metadata)
        let (id, bytes) = try openStream(call, flags: .remoteOpen)
        return TTRPCBidirectionalStream(client: self, id: id, messages: TTRPCMessages(bytes: bytes))
    }

    private func openStream(
        _ call: RPCRequest, flags: FrameFlags
    ) throws(RPCStatus) -> (UInt32, AsyncThrowingStream<[UInt8], any Error>) {
        let (bytes, continuation) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
        let id = try open(call, flags: flags, .stream(continuation))
        continuation.onTermination = { [weak self] reason in
            if case .cancelled = reason { self?.cancel(id) }
        }
        return (id, bytes)
    }
}
