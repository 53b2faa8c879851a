// SPDX-License-Identifier: Apache-2.0
import CLinux
import DockerAPI
import JSON
import LinuxSystem
import Testing

@testable import Engine

/// A client that sends some bytes, closes its sending side and, if it `leaves`, has gone by then.
private struct FakeClient: ByteStream {
    let input: AsyncStream<[UInt8]>
    let leaves: Bool

    init(sends chunks: [String] = [], leaves: Bool) {
        input = AsyncStream { continuation in
            for chunk in chunks { continuation.yield(Array(chunk.utf8)) }
            continuation.finish()
        }
        self.leaves = leaves
    }

    func read() async throws -> [UInt8]? {
        for await chunk in input { return chunk }
        return nil
    }

    func write(_ bytes: [UInt8]) async throws {}

    func waitUntilGone() async {
        if !leaves { try? await Task.sleep(for: .seconds(3600)) }
    }
}

/// A shim's attach socket that registers one client and gives its connection to `body`.
private func withShim(
    _ body: @Sendable (FilePath, _ accepted: @escaping @Sendable () throws -> Int32) async throws -> Void
)
    async throws
{
    let path = FilePath("/tmp/swrun-attach-\(getpid())-\(monotonicNanoseconds()).sock")
    let listener = try UnixSocket.listen(path).relinquish()
    defer {
        close(listener)
        _ = try? removeFile(path)
    }
    try await body(path) {
        let number = try sys("accept") { accept4(listener, __SOCKADDR_ARG(__sockaddr__: nil), nil, 0) }
        var flags: UInt8 = 0
        _ = try sys("read") { read(number, &flags, 1) }
        _ = try sys("write") { write(number, "A", 1) }
        return number
    }
}

private func container() throws -> Container {
    let config = try ContainerConfig(json: try JSONValue(parsing: Array(#"{"Image":"x"}"#.utf8)))
    let host = try HostConfig(json: try JSONValue(parsing: Array("{}".utf8)))
    return Container(
        ContainerRecord(
            id: "c1", name: "c1", created: .now, imageName: "x", imageID: "x", config: config, hostConfig: host))
}

@Suite("Attaching")
struct AttachTests {
    @Test("a client that goes away before the start is not connected at the start", .timeLimit(.minutes(1)))
    func goneBeforeTheStart() async throws {
        let container = try container()
        let source = try #require(container.attachAtStart([.stdin, .closesStdin]))
        #expect(await ContainerService.connection(source, for: FakeClient(leaves: true)) == nil)
        #expect(container.pendingAttachments == 0)
    }

    @Test("who comes between the connecting and the start does not wait for the next start")
    func betweenConnectingAndStart() async throws {
        let container = try container()
        await container.connectPending(FilePath("/nowhere"))
        #expect(container.attachAtStart([.stdout]) == nil)
        try container.on(.startFailed(code: 127, message: "no", at: .now))
        #expect(container.attachAtStart([.stdout]) != nil)
        try container.on(.started(ContainerState.Run(pid: 7, startedAt: .now)))
        #expect(container.attachAtStart([.stdout]) == nil)
    }

    @Test(
        "a quiet process's client that has gone ends the relay, after its input was delivered", .timeLimit(.minutes(1)))
    func gone() async throws {
        try await withShim { path, accepted in
            async let shim: Int32 = Task.detached { try accepted() }.value
            let connection = try await AttachConnection.open(path, [.stdin, .stdout])
            let number = try await shim
            defer { close(number) }
            let relay = AttachRelay(
                connection: connection, client: FakeClient(sends: ["some ", "input"], leaves: true), tty: false,
                isFramed: true, hasInput: true, detachKeys: [])
            #expect(try await relay.run() == false)
            var received = [UInt8](repeating: 0, count: 100)
            let count = read(number, &received, 100)
            #expect(String(decoding: received.prefix(max(0, count)), as: UTF8.self) == "some input")
            #expect(read(number, &received, 100) == 0)
        }
    }

    @Test("a client that only closes its sending side gets the output to its end", .timeLimit(.minutes(1)))
    func halfClosed() async throws {
        try await withShim { path, accepted in
            async let shim: Int32 = Task.detached { try accepted() }.value
            let connection = try await AttachConnection.open(path, [.stdin, .stdout])
            let number = try await shim
            let relay = AttachRelay(
                connection: connection, client: FakeClient(leaves: false), tty: false, isFramed: true, hasInput: true,
                detachKeys: [])
            async let ended = relay.run()
            try await Task.sleep(for: .milliseconds(50))
            var byte: UInt8 = 0
            #expect(read(number, &byte, 1) == 0)  // the end of the input has arrived; the relay goes on
            close(number)
            #expect(try await ended == false)
        }
    }
}
