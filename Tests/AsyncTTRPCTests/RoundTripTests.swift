// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import SwiftProtobuf
import Synchronization
import TTRPC
import Testing

@testable import AsyncTTRPC

private typealias Text = Google_Protobuf_StringValue
private typealias Number = Google_Protobuf_Int32Value

/// A client and a server at the two ends of a socket pair.
private struct Link {
    let client: TTRPCClient
    let server: ServerConnection

    init(_ table: RPCHandlerTable) throws {
        let pair = try UnixSocket.pair()
        // `Pair` belongs to another module, so its ends cannot be moved out one by one.
        server = ServerConnection(try pair.first.duplicate(), handlers: table)
        client = TTRPCClient(try pair.second.duplicate(), tellsCancellation: true)
        server.start {}
    }

    func call(_ method: String, _ text: String, timeout: Duration? = nil) async throws -> String {
        let answer: Text = try await client.call(
            service: "test", method: method, Text.with { $0.value = text },
            metadata: [RPCMetadata("containerd-namespace-ttrpc", "ns")], timeout: timeout)
        return answer.value
    }
}

private func table(_ fill: (inout RPCHandlerTable) -> Void) -> RPCHandlerTable {
    var table = RPCHandlerTable()
    fill(&table)
    return table
}

@Suite("ttrpc between our client and our server")
struct RoundTripTests {
    private let echo = table {
        $0.unary("test", "Echo") { (request: Text, context) -> Text in
            .with { $0.value = request.value + "@" + (context.metadata("containerd-namespace-ttrpc") ?? "") }
        }
        $0.unary("test", "Fail") { (request: Text, _) -> Text in throw ServiceError(.notFound, request.value) }
    }

    @Test("a unary call carries message and metadata")
    func unary() async throws {
        let link = try Link(echo)
        #expect(try await link.call("Echo", "hello") == "hello@ns")
    }

    @Test("many calls share one connection")
    func concurrentCalls() async throws {
        let link = try Link(echo)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask { try await link.call("Echo", "\(number)") == "\(number)@ns" }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }

    @Test("a handler's error keeps its kind and text")
    func failure() async throws {
        let link = try Link(echo)
        await #expect(throws: RPCFailure(.notFound, "no such thing")) {
            try await link.call("Fail", "no such thing")
        }
    }

    @Test("an unknown method is unimplemented")
    func unknownMethod() async throws {
        let link = try Link(echo)
        await #expect(throws: RPCFailure(.unimplemented, "no such method: test/Nothing")) {
            try await link.call("Nothing", "")
        }
    }

    @Test("a message longer than a frame is refused before it is sent")
    func tooLong() async throws {
        let link = try Link(echo)
        let error = await #expect(throws: RPCFailure.self) {
            try await link.call("Echo", String(repeating: "x", count: Frame.maximumPayload))
        }
        #expect(error?.code == .resourceExhausted)
        #expect(try await link.call("Echo", "still there") == "still there@ns")
    }

    @Test("messages larger than the socket's buffer arrive whole and in order")
    func large() async throws {
        let link = try Link(echo)
        let text = String(repeating: "0123456789", count: 50_000)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 { group.addTask { try await link.call("Echo", text) == text + "@ns" } }
            for try await isRight in group { #expect(isRight) }
        }
    }

    @Test("a server stream delivers its messages and ends")
    func serverStream() async throws {
        let link = try Link(
            table {
                $0.serverStream("test", "Count") { (request: Number, _, send: (Number) async throws -> Void) in
                    for number in 0..<request.value { try await send(.with { $0.value = number }) }
                }
            })
        let numbers: TTRPCMessages<Number> = try link.client.serverStream(
            service: "test", method: "Count", Number.with { $0.value = 5 })
        var seen: [Int32] = []
        for try await number in numbers { seen.append(number.value) }
        #expect(seen == [0, 1, 2, 3, 4])
    }

    @Test("a stream's failure comes after its messages")
    func streamFailure() async throws {
        let link = try Link(
            table {
                $0.serverStream("test", "Break") { (_: Number, _, send: (Number) async throws -> Void) in
                    try await send(Number())
                    throw ServiceError(.unavailable, "broken")
                }
            })
        let numbers: TTRPCMessages<Number> = try link.client.serverStream(service: "test", method: "Break", Number())
        var iterator = numbers.makeAsyncIterator()
        #expect(try await iterator.next() != nil)
        await #expect(throws: RPCFailure(.unavailable, "broken")) { try await iterator.next() }
    }

    @Test("both sides of a bidirectional stream can speak, and each can end its own")
    func bidirectional() async throws {
        let link = try Link(
            table {
                $0.bidirectional("test", "Sum") {
                    (numbers: TTRPCMessages<Number>, _, send: (Number) async throws -> Void) in
                    var sum: Int32 = 0
                    for try await number in numbers {
                        sum += number.value
                        try await send(.with { $0.value = sum })
                    }
                    try await send(.with { $0.value = -1 })
                }
            })
        let stream = try link.client.bidirectionalStream(
            service: "test", method: "Sum", sending: Number.self, returning: Number.self)
        var answers = stream.messages.makeAsyncIterator()
        for (number, sum) in [(1, 1), (2, 3), (3, 6)] as [(Int32, Int32)] {
            try await stream.send(.with { $0.value = number })
            #expect(try await answers.next()?.value == sum)
        }
        stream.closeSend()
        #expect(try await answers.next()?.value == -1)
        #expect(try await answers.next() == nil)
    }
}

@Suite("ttrpc when something goes wrong")
struct LossTests {
    /// A server whose only method answers when told to, or sees that it was cancelled.
    private static func waiting(_ events: AsyncStream<String>.Continuation) -> RPCHandlerTable {
        table {
            $0.unary("test", "Wait") { (_: Text, _) -> Text in
                events.yield("started")
                await withTaskCancellationHandler {
                    for await _ in AsyncStream<Void>(unfolding: { try? await Task.sleep(for: .seconds(60)) }) {}
                } onCancel: {
                    events.yield("cancelled")
                }
                throw CancellationError()
            }
        }
    }

    @Test("the peer's death fails pending and later calls with unavailable")
    func death() async throws {
        let (events, continuation) = AsyncStream<String>.makeStream()
        let link = try Link(Self.waiting(continuation))
        let call = Task { try await link.call("Wait", "") }
        var iterator = events.makeAsyncIterator()
        #expect(await iterator.next() == "started")
        link.server.close()
        let error = await #expect(throws: RPCFailure.self) { try await call.value }
        #expect(error?.code == .unavailable)
        #expect(await iterator.next() == "cancelled")
        let later = await #expect(throws: RPCFailure.self) { try await link.call("Wait", "") }
        #expect(later?.code == .unavailable)
    }

    @Test("cancelling the caller cancels the handler")
    func cancellation() async throws {
        let (events, continuation) = AsyncStream<String>.makeStream()
        let link = try Link(Self.waiting(continuation))
        let call = Task { try await link.call("Wait", "") }
        var iterator = events.makeAsyncIterator()
        #expect(await iterator.next() == "started")
        call.cancel()
        let error = await #expect(throws: RPCFailure.self) { try await call.value }
        #expect(error?.code == .cancelled)
        #expect(await iterator.next() == "cancelled")
    }

    @Test("a call that takes too long fails with deadlineExceeded")
    func timeout() async throws {
        let (_, continuation) = AsyncStream<String>.makeStream()
        let link = try Link(Self.waiting(continuation))
        let error = await #expect(throws: RPCFailure.self) {
            try await link.call("Wait", "", timeout: .milliseconds(10))
        }
        #expect(error?.code == .deadlineExceeded)
    }

    @Test("closing calls back once, also when it has happened already")
    func onClose() async throws {
        let link = try Link(RPCHandlerTable())
        let (closes, continuation) = AsyncStream<Int>.makeStream()
        link.client.onClose { continuation.yield(1) }
        link.client.close()
        var iterator = closes.makeAsyncIterator()
        #expect(await iterator.next() == 1)
        link.client.onClose { continuation.yield(2) }
        #expect(await iterator.next() == 2)
        #expect(link.client.isClosed)
    }
}
