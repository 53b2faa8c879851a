// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// A client's TCP connection: messages with their length before them, in both directions (RFC 1035 section 4.2.2).
final class ResolverConnection {
    let container: String
    let socket: SocketBox
    fileprivate var input: [UInt8] = []
    fileprivate var output: [UInt8] = []
    private(set) var deadline: Int64

    private static let idleNanoseconds: Int64 = 20_000_000_000
    /// A client that does not read its answers is not served on.
    fileprivate static let maximumOutput = 1 << 20

    init(container: String, _ socket: SocketBox) {
        self.container = container
        self.socket = socket
        deadline = monotonicNanoseconds() + Self.idleNanoseconds
    }

    fileprivate func touch() { deadline = monotonicNanoseconds() + Self.idleNanoseconds }
}

extension NameServerLoop {
    /// Reads what a client sent, takes the whole messages in it, and writes what waits.
    func proceed(_ connection: ResolverConnection, _ token: UInt64) {
        var buffer = [UInt8](repeating: 0, count: 4096)
        switch readNonBlocking(connection.socket.fd, into: &buffer) {
        case .bytes(let count):
            connection.touch()
            connection.input += buffer.prefix(count)
            while let message = takeMessage(&connection.input) {
                take(message, connection.container, .connection(token))
            }
        case .wouldBlock: break
        case .ended: return remove(token)
        }
        flush(connection, token)
    }

    /// Sends an answer to the client, if it is still there.
    func send(_ answer: [UInt8], _ path: ReplyPath) {
        switch path {
        case .datagram(let socket, let receiver): sendDatagram(socket.fd, answer, to: receiver)
        case .connection(let token):
            guard let connection = connection(token) else { return }
            connection.output += framed(answer)
            flush(connection, token)
        }
    }

    private func flush(_ connection: ResolverConnection, _ token: UInt64) {
        guard self.connection(token) != nil, !connection.output.isEmpty else { return }
        switch writeNonBlocking(connection.socket.fd, connection.output[...]) {
        case .bytes(let count): connection.output.removeFirst(count)
        case .wouldBlock: break
        case .ended: return remove(token)
        }
        if connection.output.count > ResolverConnection.maximumOutput { return remove(token) }
        modify(connection.socket.fd.raw, token, connection.output.isEmpty ? .readable : [.readable, .writable])
    }
}

/// A message as TCP carries it.
func framed(_ message: [UInt8]) -> [UInt8] {
    [UInt8(truncatingIfNeeded: message.count >> 8), UInt8(truncatingIfNeeded: message.count)] + message
}

/// Takes the first whole message out of what was read.
func takeMessage(_ input: inout [UInt8]) -> [UInt8]? {
    guard input.count >= 2 else { return nil }
    let length = Int(input[0]) << 8 | Int(input[1])
    guard input.count >= 2 + length else { return nil }
    let message = Array(input[2..<2 + length])
    input.removeFirst(2 + length)
    return message
}
