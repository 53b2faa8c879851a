// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import Synchronization
import Threads

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

    private struct State {
        var commands: [Command] = []
        var wake: SocketBox?
    }

    private let state = Mutex(State())

    /// Begins to serve a bound socket, which listens if it is TCP's.
    func serve(_ port: BoundPort, _ socket: SocketBox, target: SocketAddress) throws(SysError) {
        try start()
        send(.serve(port, socket, target: target))
    }

    /// Connections that are open go on until one of their ends closes them. A port that is not served is fine.
    func end(_ port: BoundPort) { send(.end(port)) }

    private func send(_ command: Command) {
        state.withLock { state in
            guard let wake = state.wake else { return }
            state.commands.append(command)
            _ = writeNonBlocking(wake.fd, [1, 0, 0, 0, 0, 0, 0, 0][...])
        }
    }

    /// The thread starts with the first port and ends with the process.
    private func start() throws(SysError) {
        try state.withLock { state throws(SysError) in
            guard state.wake == nil else { return }
            let number = try sys("eventfd") { eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK)) }
            let wake = SocketBox(OwnedFD(owning: number))
            let epoll = try Epoll()
            try epoll.add(number, token: PortProxyLoop.wakeToken, .readable)
            state.wake = wake
            let box = EpollBox(epoll)
            detachThread { [self] in PortProxyLoop(proxy: self, box, wake).run() }
        }
    }

    func takeCommands() -> [Command] {
        state.withLock { state in
            defer { state.commands = [] }
            return state.commands
        }
    }
}
