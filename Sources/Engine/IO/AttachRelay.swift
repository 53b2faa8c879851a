// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import LinuxSystem

/// Carries bytes between a client's hijacked connection and a process's attach socket.
struct AttachRelay: Sendable {
    var connection: AttachConnection
    var client: any ByteStream
    var tty: Bool
    /// Whether the client gets docker's frames, which keep standard output and error apart.
    var isFramed: Bool
    var hasInput: Bool
    /// The sequence that ends the attachment; empty for none.
    var detachKeys: [UInt8]

    private enum End: Sendable {
        case output
        case input
        case detached
        case gone
        case graceOver
    }

    /// How long a process may take to read what a client sent before it went away.
    private static let grace = Duration.seconds(10)

    /// Ends when the process's output has ended, when the client has gone and its input is delivered, or at the detach
    /// keys; true for the last. A client that only closes its sending side still gets all output.
    func run() async throws -> Bool {
        try await withThrowingTaskGroup(of: End.self) { group in
            group.addTask { try await copyOutput() }
            group.addTask { try await copyInput() }
            group.addTask {
                await client.waitUntilGone()
                return .gone
            }
            defer { group.cancelAll() }
            var endsWithInput = tty && hasInput
            var hasInputEnded = false
            while let end = try await group.next() {
                switch end {
                case .output, .graceOver: return false
                case .detached: return true
                case .input:
                    if endsWithInput { return false }
                    hasInputEnded = true
                case .gone:
                    if hasInputEnded { return false }
                    endsWithInput = true
                    group.addTask {
                        try await Task.sleep(for: Self.grace)
                        return .graceOver
                    }
                }
            }
            return false
        }
    }

    private func copyOutput() async throws -> End {
        if isFramed {
            try await passFrames()
            return .output
        }
        var frames = StreamFrameDecoder()
        while let bytes = try await connection.read() {
            frames.append(bytes)
            while let frame = frames.next() { try await client.write(frame.payload) }
        }
        return .output
    }

    /// What comes is framed already, as the client wants it.
    private func passFrames() async throws {
        if let socket = client.plainSocket() { return try await connection.splice(to: socket) }
        while let bytes = try await connection.read() { try await client.write(bytes) }
    }

    private func copyInput() async throws -> End {
        var detector = DetachKeys(detachKeys)
        while let bytes = try await client.read() {
            guard hasInput else { continue }
            let (passed, isDetached) = detector.pass(bytes)
            do {
                if !passed.isEmpty { try await connection.write(passed) }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                return .input  // the process reads no more; its output may go on
            }
            if isDetached { return .detached }
        }
        if hasInput { connection.closeWriting() }
        return .input
    }
}
