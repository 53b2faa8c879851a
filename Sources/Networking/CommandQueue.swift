// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem
import Synchronization
import Threads

/// What others tell a thread that sleeps in epoll_wait(2) and serves sockets there: the name server's, the port proxy's.
final class CommandQueue<Command: Sendable>: Sendable {
    private struct State {
        var commands: [Command] = []
        var wake: SocketBox?
    }

    /// What epoll reports when there are commands.
    let token: UInt64 = 0
    private let state = Mutex(State())

    /// Starts the thread unless it runs; it ends with the process. `serve` gets the epoll instance that commands wake.
    func start(_ serve: @escaping @Sendable (EpollBox) -> Void) throws(SysError) {
        try state.withLock { state throws(SysError) in
            guard state.wake == nil else { return }
            let number = try sys("eventfd") { eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK)) }
            let wake = SocketBox(OwnedFD(owning: number))
            let epoll = try Epoll()
            try epoll.add(number, token: token, .readable)
            state.wake = wake
            let box = EpollBox(epoll)
            detachThread { serve(box) }
        }
    }

    /// Before the start there is nobody whom a command concerns.
    func send(_ command: Command) {
        state.withLock { state in
            guard let wake = state.wake else { return }
            state.commands.append(command)
            _ = writeNonBlocking(wake.fd, [1, 0, 0, 0, 0, 0, 0, 0][...])
        }
    }

    /// What has come since the last time, for the thread.
    func take() -> [Command] {
        state.withLock { state in
            guard let wake = state.wake else { return [] }
            var counter = [UInt8](repeating: 0, count: 8)
            _ = readNonBlocking(wake.fd, into: &counter)
            defer { state.commands = [] }
            return state.commands
        }
    }
}

/// Hands an epoll instance to the thread that uses it.
final class EpollBox: Sendable {
    let epoll: Epoll

    init(_ epoll: consuming Epoll) { self.epoll = epoll }
}
