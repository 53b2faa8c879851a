// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import NIOCore
import Synchronization

/// A second descriptor of a client's unix socket, to send without the event loop: nothing lies between it and the client, as
/// TLS may on others. Only for what is sent while nothing waits in the event loop.
final class ClientSocket: Sendable {
    let descriptor: OwnedFD
    /// How many buffers were left to the event loop and are not sent yet.
    private let left = Mutex(0)

    private init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }

    /// nil for other sockets, and when there is no descriptor left. Called by the event loop.
    static func of(_ channel: any Channel) -> ClientSocket? {
        guard isUnixSocket(channel) else { return nil }
        let duplicate = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { socket in
            ClientSocket(try OwnedFD(duplicating: socket))
        }
        return duplicate ?? nil
    }

    /// Sends what the socket takes at once, on the calling thread: to wake that of the event loop takes longer than most
    /// answers do. The rest is left to the event loop; nil if there is none. Buffers of several tasks stay whole and in
    /// their order. Whoever gets a future calls `leftIsDone` when it has come.
    func send(_ buffer: ByteBuffer, orLeaveTo channel: any Channel) throws(SysError) -> EventLoopFuture<Void>? {
        var buffer = buffer
        return try left.withLock { left throws(SysError) in
            if left == 0 {
                switch buffer.withUnsafeReadableBytes({ sendNonBlocking(descriptor, $0) }) {
                case .bytes(let count): buffer.moveReaderIndex(forwardBy: count)
                case .wouldBlock: break
                case .ended: throw SysError("send", "client", .brokenPipe)
                }
                if buffer.readableBytes == 0 { return nil }
            }
            left += 1
            return channel.writeAndFlush(buffer)
        }
    }

    func leftIsDone() { left.withLock { $0 -= 1 } }

    // MARK: For a thread that may wait

    func send(_ text: String) throws(SysError) {
        try Array(text.utf8).withUnsafeBufferPointer { (bytes) throws(SysError) in
            try send(UnsafeRawBufferPointer(bytes))
        }
    }

    /// Sends everything, waiting for the client as long as it needs.
    func send(_ bytes: UnsafeRawBufferPointer) throws(SysError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch sendNonBlocking(descriptor, UnsafeRawBufferPointer(rebasing: rest)) {
            case .bytes(let count): rest = rest.dropFirst(count)
            case .wouldBlock: try waitWritable(descriptor.raw)
            case .ended: throw SysError("send", "client", .brokenPipe)
            }
        }
    }

    /// Ends the connection, and the wait of a thread for it.
    func shutDown() { try? shutdownBoth(descriptor) }
}

func isUnixSocket(_ channel: any Channel) -> Bool {
    guard case .unixDomainSocket? = channel.localAddress else { return false }
    return true
}
