// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import TTRPC

/// The shim's socket: accepts the supervisor, as often as it restarts, and hands its requests on.
final class ShimServer {
    private let loop: EventLoop
    private let listener: OwnedFD
    private let path: FilePath
    private var token: EventLoop.Token?
    private var connections: [ServerConnection] = []
    private let handle: (RPCRequest, Responder) -> Void

    var hasConnections: Bool { !connections.isEmpty }

    /// Called when the last connection has ended.
    var onDesertion: (() -> Void)?

    /// Serves an already listening socket, which lies at `path`.
    init(
        _ listener: consuming OwnedFD, path: FilePath, loop: EventLoop,
        handle: @escaping (RPCRequest, Responder) -> Void
    ) throws(SysError) {
        self.loop = loop
        self.path = path
        self.handle = handle
        try listener.setNonBlocking()
        self.listener = listener
        let number = self.listener.raw
        token = try loop.watch(number, .readable) { [self] _ in accept() }
    }

    func close() {
        if let token { loop.unwatch(token) }
        token = nil
        _ = try? removeFile(path)
    }

    private func accept() {
        guard let socket = try? UnixSocket.accept(listener, nonBlocking: true), let user = try? peerUser(socket),
            user == 0 || user == geteuid(),
            let connection = try? ServerConnection(
                socket, loop: loop, handle: handle,
                onClose: { [self] closed in
                    connections.removeAll { $0 === closed }
                    if connections.isEmpty { onDesertion?() }
                })
        else { return }
        connections.append(connection)
    }
}
