// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem

/// A client's connection to a published port and ours to the container: what one end sends, the other gets, the end of
/// its stream included.
final class ProxiedConnection {
    enum Side {
        case client
        case server
    }

    /// One end: its socket, and what is to be written to it.
    private struct End {
        let socket: SocketBox
        var output: [UInt8] = []
        /// Nothing more will be read from it.
        var isFinished = false
        /// Nothing more is to be written to it once `output` is, and then that it has been told so.
        var isClosing = false
        var isClosed = false
    }

    private static let bufferBytes = 65536

    private var client: End
    private var server: End
    private var isConnected = false
    var tokens: (client: UInt64, server: UInt64) = (0, 0)

    init(client: SocketBox, server: SocketBox) {
        self.client = End(socket: client)
        self.server = End(socket: server)
    }

    func descriptor(_ side: Side) -> (SocketBox, UInt64) {
        side == .client ? (client.socket, tokens.client) : (server.socket, tokens.server)
    }

    /// What an end is to be watched for: nothing is read while the last of it has not been passed on.
    func interest(_ side: Side) -> Readiness {
        let (own, other) = side == .client ? (client, server) : (server, client)
        var interest: Readiness = []
        if !own.output.isEmpty || (side == .server && !isConnected) { interest.insert(.writable) }
        if isConnected, !own.isFinished, other.output.isEmpty { interest.insert(.readable) }
        return interest
    }

    /// Does what an end is ready for; false if the connection is over.
    func proceed(_ side: Side, _ ready: Readiness) -> Bool {
        if !isConnected {
            guard side == .server, !ready.contains(.failed) else { return false }
            isConnected = ready.contains(.writable)
            return true
        }
        if ready.contains(.failed) { return false }
        let goesOn =
            side == .client
            ? Self.move(from: &client, to: &server) && Self.flush(&client)
            : Self.move(from: &server, to: &client) && Self.flush(&server)
        return goesOn && !(client.isClosed && server.isClosed)
    }

    private static func move(from source: inout End, to target: inout End) -> Bool {
        guard !source.isFinished, target.output.isEmpty else { return true }
        var buffer = [UInt8](repeating: 0, count: bufferBytes)
        switch readNonBlocking(source.socket.fd, into: &buffer) {
        case .bytes(let count): target.output = Array(buffer.prefix(count))
        case .wouldBlock: return true
        case .ended:
            source.isFinished = true
            target.isClosing = true
        }
        return flush(&target)
    }

    private static func flush(_ end: inout End) -> Bool {
        if !end.output.isEmpty {
            switch writeNonBlocking(end.socket.fd, end.output[...]) {
            case .bytes(let count): end.output.removeFirst(count)
            case .wouldBlock: break
            case .ended: return false
            }
        }
        if end.isClosing, !end.isClosed, end.output.isEmpty {
            end.isClosed = true
            _ = shutdown(end.socket.fd.raw, Int32(SHUT_WR))
        }
        return true
    }
}
