// SPDX-License-Identifier: Apache-2.0
import Engine
import HTTPServer
import Synchronization

/// A web socket as a stream of bytes: what the client's messages hold, and a message for each piece of ours.
final class WebSocketStream: ByteStream {
    private let stream: HijackedStream
    private let opcode: UInt8
    private let decoder = Mutex(WebSocketDecoder())
    /// Ends when the client has said that it is done, or has broken the protocol.
    private let ended: AsyncStream<Void>
    private let end: AsyncStream<Void>.Continuation

    init(_ stream: HijackedStream, sendsBinary: Bool) {
        (ended, end) = AsyncStream.makeStream()
        self.stream = stream
        self.opcode = sendsBinary ? 2 : 1
    }

    func read() async throws -> [UInt8]? {
        while true {
            do throws(WebSocketDecoder.Failure) {
                switch try decoder.withLock({ decoder throws(WebSocketDecoder.Failure) in try decoder.next() }) {
                case .data(let bytes)?: return bytes
                case .close?:
                    end.finish()
                    return nil
                case .ping(let payload)?:
                    try? await stream.write(WebSocketDecoder.encode(opcode: 10, payload))
                    continue
                case nil: break
                }
            } catch {
                end.finish()
                return nil
            }
            guard let bytes = try await stream.read() else { return nil }
            decoder.withLock { $0.append(bytes) }
        }
    }

    func write(_ bytes: [UInt8]) async throws {
        if bytes.isEmpty { return }
        try await stream.write(WebSocketDecoder.encode(opcode: opcode, bytes))
    }

    /// A close frame ends both directions, other than the end of a plain stream.
    func waitUntilGone() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [stream] in await stream.waitUntilGone() }
            group.addTask { [ended] in for await _ in ended {} }
            await group.next()
            group.cancelAll()
        }
    }

    /// Tells the client that it was all: status 1000, a normal end.
    func finish() async throws { try await stream.write(WebSocketDecoder.encode(opcode: 8, [0x03, 0xE8])) }
}
