// SPDX-License-Identifier: Apache-2.0
import Archive
import Engine
import HTTPServer
import LinuxSystem
import Tar
import Threads

extension BodyWriter {
    /// Sends what `produce` writes on a thread of its own, as fast as the client takes it. When the client has gone, `produce`
    /// fails with EPIPE at its next write.
    func send(_ produce: @escaping @Sendable (any ByteSink) throws -> Void) async throws {
        guard let socket else { return try await piping(produce) }
        try await withTaskCancellationHandler {
            try await runOnThread { try produce(BodySink(socket)) }
        } onCancel: {
            socket.shutDown()
        }
    }

    private func piping(_ produce: @escaping @Sendable (any ByteSink) throws -> Void) async throws {
        let pipe = try Pipe()
        let writeEnd = pipe.write.relinquish()
        let producer = Task {  // ends with its thread, which ends when the read end is closed at the latest
            try await runOnThread { try produce(FileSink(OwnedFD(owning: writeEnd))) }
        }
        try await pass(on: pipe.read)
        try await producer.value
    }

    private func pass(on end: consuming OwnedFD) async throws {
        try end.setNonBlocking()
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            switch readNonBlocking(end, into: &buffer) {
            case .bytes(let count): try await write(Array(buffer[..<count]))
            case .wouldBlock: try await waitUntilReadable(end.raw)
            case .ended: return
            }
        }
    }
}

/// Sends what a thread writes to a client's socket: small pieces together, large files by the kernel.
private final class BodySink: ByteSink {
    private static let room = 128 << 10
    private static let largePiece: Int64 = 4 << 20

    private let socket: BodySocket
    private var held: [UInt8] = []

    init(_ socket: BodySocket) {
        self.socket = socket
        held.reserveCapacity(Self.room)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        if held.count + bytes.count > Self.room { try flush() }
        if bytes.count < Self.room { held.append(contentsOf: bytes) } else { try socket.write(bytes) }
    }

    func write(_ file: borrowing OwnedFD, count: Int64, using buffer: UnsafeMutableRawBufferPointer) throws {
        if count < Self.room { return try copy(file, count, buffer) }
        try flush()
        var left = count
        while left > 0 {
            let piece = min(left, Self.largePiece)
            try socket.write(file, count: Int(piece), using: buffer)
            left -= piece
        }
    }

    func finish() throws { try flush() }

    private func flush() throws {
        try held.withUnsafeBytes { try socket.write($0) }
        held.removeAll(keepingCapacity: true)
    }
}
