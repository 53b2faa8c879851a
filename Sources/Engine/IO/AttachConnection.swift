// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// One connection to the attach socket of a process's shim: framed output comes in, standard input goes out.
///
///     engine ── flags (1 byte) ──▶ shim
///     engine ◀── 'A' ───────────── shim      registered: from here on nothing is missed
///     engine ◀── frames ────────── shim      [stream,0,0,0,length]payload
///     engine ── bytes ───────────▶ shim      standard input, until the sending side is closed
final class AttachConnection: Sendable {
    struct Flags: OptionSet, Sendable {
        let rawValue: UInt8
        static let stdin = Flags(rawValue: 1)
        static let stdout = Flags(rawValue: 2)
        static let stderr = Flags(rawValue: 4)
        /// The process's input ends when this client's does.
        static let closesStdin = Flags(rawValue: 8)
    }

    private static let chunk = 64 << 10
    private let socket: OwnedFD

    /// Connects and waits until the shim has registered us.
    static func open(_ path: FilePath, _ flags: Flags) async throws -> AttachConnection {
        let connection = AttachConnection(try UnixSocket.connect(path))
        try connection.socket.setNonBlocking()
        try await connection.write([flags.rawValue])
        let answer = try await connection.read(upTo: 1)
        guard answer == [UInt8(ascii: "A")] else {
            throw EngineError.internal("the shim refused to attach at \(path.string)")
        }
        return connection
    }

    private init(_ socket: consuming OwnedFD) { self.socket = socket }

    /// The next bytes, or nil once the process has ended and all its output has come.
    func read(upTo limit: Int = AttachConnection.chunk) async throws -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: limit)
        while true {
            switch readNonBlocking(socket, into: &buffer) {
            case .bytes(let count):
                buffer.removeLast(limit - count)
                return buffer
            case .ended: return nil
            case .wouldBlock: try await waitUntilReadable(socket.raw)
            }
        }
    }

    /// Passes on all that comes, until its end, to a non-blocking socket; the bytes never leave the kernel.
    func splice(to target: borrowing OwnedFD) async throws {
        var pipe = try SplicePipe()
        var pieces = 0
        while true {
            switch pipe.fill(from: socket) {
            case .bytes: break
            case .ended: return
            case .wouldBlock:
                try await waitUntilReadable(socket.raw)
                continue
            }
            while pipe.held > 0 {
                switch pipe.drain(to: target) {
                case .bytes: break
                case .ended: throw SysError("splice", "client", .brokenPipe)
                case .wouldBlock: try await waitUntilWritable(target.raw)
                }
            }
            pieces += 1
            if pieces % 64 == 0 { await Task.yield() }  // a process that writes without end would keep the thread
        }
    }

    func write(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch writeNonBlocking(socket, rest) {
            case .bytes(let count): rest = rest.dropFirst(count)
            case .ended: throw SysError("write", "attach socket", .brokenPipe)
            case .wouldBlock: try await waitUntilWritable(socket.raw)
            }
        }
    }

    /// Tells the shim that no more input comes.
    func closeWriting() { try? shutdownWriting(socket) }
}
