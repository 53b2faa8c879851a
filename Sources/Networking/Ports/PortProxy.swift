// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// Carries what reaches the host's IPv6 addresses to containers, where no rule of the firewall can: to containers that
/// have IPv4 alone, and from `::1`, which the kernel routes nowhere else.
///
/// docker has a process for each port (docker-proxy); here one thread of the daemon serves all. It sleeps in
/// epoll_wait(2) and holds at most a buffer for each direction of a connection. While the daemon is away its
/// connections end; the sockets are made anew when it is back.
final class PortProxy: Sendable {
    enum Command: Sendable {
        case serve(BoundPort, SocketBox, target: SocketAddress)
        case end(BoundPort)
    }

    let commands = CommandQueue<Command>()

    /// Begins to serve a bound socket, which listens if it is TCP's.
    func serve(_ port: BoundPort, _ socket: SocketBox, target: SocketAddress) throws(SysError) {
        try commands.start { [self] in PortProxyLoop(proxy: self, $0).run() }
        commands.send(.serve(port, socket, target: target))
    }

    /// Connections that are open go on until one of their ends closes them. A port that is not served is fine.
    func end(_ port: BoundPort) { commands.send(.end(port)) }
}
