// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// The socket on which an OCI runtime hands over the master of a new terminal.
final class ConsoleSocket {
    let path: FilePath
    private let loop: EventLoop
    private let listener: OwnedFD
    private var token: EventLoop.Token?
    private var connection: Descriptor?
    private var master: Descriptor?

    init(path: FilePath, loop: EventLoop) throws(SysError) {
        self.path = path
        self.loop = loop
        listener = try UnixSocket.listen(path, mode: 0o600)
        try listener.setNonBlocking()
        let number = listener.raw
        token = try loop.watch(number, .readable) { [self] _ in accept() }
    }

    /// Ends the hand-over. The runtime has exited, so what it sent is here, read or not.
    func take() -> Descriptor? {
        if master == nil { receive() }
        if master == nil { accept() }
        if master == nil { receive() }
        close()
        return master
    }

    func close() {
        guard let token else { return }
        self.token = nil
        loop.unwatch(token)
        connection = nil
        _ = try? removeFile(path)
    }

    private func accept() {
        guard let socket = try? UnixSocket.accept(listener, nonBlocking: true) else { return }
        connection = Descriptor(socket)
    }

    private func receive() {
        guard let connection, let received = try? receiveDescriptor(connection.fd) else { return }
        master = Descriptor(received)
    }
}
