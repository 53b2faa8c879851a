// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem

/// The thread of the port proxy: everything here belongs to it alone.
final class PortProxyLoop {
    enum Source {
        case listener(SocketBox, target: SocketAddress)
        case datagrams(DatagramPort)
        /// What a container answers to one sender of datagrams.
        case answers(DatagramFlow)
        case end(ProxiedConnection, ProxiedConnection.Side)
    }

    /// Connections and flows of datagrams, of all ports together.
    private static let maximumSources = 8192

    private let proxy: PortProxy
    private let box: EpollBox
    private var sources: [UInt64: Source] = [:]
    private var ports: [BoundPort: UInt64] = [:]
    private var nextToken: UInt64 = 1

    init(proxy: PortProxy, _ box: EpollBox) {
        self.proxy = proxy
        self.box = box
    }

    /// Serves until the process ends.
    func run() {
        while true {
            let hasFlows = sources.values.contains { if case .answers = $0 { true } else { false } }
            for event in (try? box.epoll.wait(timeoutMilliseconds: hasFlows ? 10_000 : -1)) ?? [] { handle(event) }
            if hasFlows { expireFlows() }
        }
    }

    private func handle(_ event: Epoll.Event) {
        if event.token == proxy.commands.token { return proxy.commands.take().forEach(perform) }
        switch sources[event.token] {
        case .listener(let socket, let target): accept(socket, target)
        case .datagrams(let port): passOn(port)
        case .answers(let flow): answer(flow)
        case .end(let connection, let side): proceed(connection, side, event.ready)
        case nil: break  // closed while an earlier event was handled
        }
    }

    private func perform(_ command: PortProxy.Command) {
        switch command {
        case .serve(let port, let socket, let target):
            let source: Source =
                port.proto == .tcp ? .listener(socket, target: target) : .datagrams(DatagramPort(socket, target))
            ports[port] = add(source, socket.fd.raw, .readable)
        case .end(let port):
            guard let token = ports.removeValue(forKey: port) else { return }
            if case .datagrams(let served) = sources[token] {
                box.epoll.remove(served.socket.fd.raw)
                for flow in served.flows.values { remove(flow.token) }
            } else if case .listener(let socket, _) = sources[token] {
                box.epoll.remove(socket.fd.raw)
            }
            remove(token)
        }
    }

    // MARK: Sources

    private func add(_ source: Source, _ number: CInt, _ interest: Readiness) -> UInt64? {
        let token = nextToken
        guard sources.count < Self.maximumSources,
            (try? box.epoll.add(number, token: token, interest)) != nil
        else { return nil }
        nextToken += 1
        sources[token] = source
        return token
    }

    private func remove(_ token: UInt64) { sources[token] = nil }

    // MARK: Connections

    private func accept(_ socket: SocketBox, _ target: SocketAddress) {
        guard let fd = try? UnixSocket.accept(socket.fd, nonBlocking: true) else { return }
        let client = SocketBox(fd)
        guard let server = try? connectedSocket(to: target, SOCK_STREAM) else { return }
        let connection = ProxiedConnection(client: client, server: server)
        // The container's end becomes writable when it has answered; the client is not read before.
        guard let front = add(.end(connection, .client), client.fd.raw, []) else { return }
        guard let back = add(.end(connection, .server), server.fd.raw, .writable) else { return remove(front) }
        connection.tokens = (front, back)
    }

    private func proceed(_ connection: ProxiedConnection, _ side: ProxiedConnection.Side, _ ready: Readiness) {
        guard connection.proceed(side, ready) else {
            remove(connection.tokens.client)
            remove(connection.tokens.server)
            return
        }
        for end in [ProxiedConnection.Side.client, .server] {
            let interest = connection.interest(end)
            let (socket, token) = connection.descriptor(end)
            if end == side, interest.isEmpty, ready.contains(.hungUp) {
                box.epoll.remove(socket.fd.raw)  // it would be reported for ever
            } else {
                try? box.epoll.modify(socket.fd.raw, token: token, interest)
            }
        }
    }

    // MARK: Datagrams

    private func passOn(_ port: DatagramPort) {
        for _ in 0..<16 {  // then others' turn: what is left makes the socket ready again
            guard let (message, sender) = receiveDatagram(port.socket.fd, upTo: 65535) else { return }
            guard let flow = port.flows[sender] ?? open(port, sender) else { continue }
            flow.lastUse = monotonicNanoseconds()
            _ = writeNonBlocking(flow.socket.fd, message[...])
        }
    }

    private func open(_ port: DatagramPort, _ sender: SocketAddress) -> DatagramFlow? {
        guard let socket = try? connectedSocket(to: port.target, SOCK_DGRAM) else { return nil }
        let flow = DatagramFlow(port, sender, socket)
        guard let token = add(.answers(flow), socket.fd.raw, .readable) else { return nil }
        flow.token = token
        port.flows[sender] = flow
        return flow
    }

    private func answer(_ flow: DatagramFlow) {
        var buffer = [UInt8](repeating: 0, count: 65535)
        guard case .bytes(let count) = readNonBlocking(flow.socket.fd, into: &buffer) else { return }
        flow.lastUse = monotonicNanoseconds()
        sendDatagram(flow.port.socket.fd, buffer.prefix(count), to: flow.sender)
    }

    private func expireFlows() {
        let old = monotonicNanoseconds() - DatagramFlow.idleNanoseconds
        for case .answers(let flow) in sources.values where flow.lastUse < old {
            flow.port.flows[flow.sender] = nil
            remove(flow.token)
        }
    }
}

/// A published UDP port, and who has sent to it lately.
final class DatagramPort {
    let socket: SocketBox
    let target: SocketAddress
    var flows: [SocketAddress: DatagramFlow] = [:]

    init(_ socket: SocketBox, _ target: SocketAddress) {
        self.socket = socket
        self.target = target
    }
}

/// One sender's datagrams: the container sees a source of its own for each.
final class DatagramFlow {
    /// How long a flow is kept after its last datagram (docker's).
    static let idleNanoseconds: Int64 = 90_000_000_000

    unowned let port: DatagramPort
    let sender: SocketAddress
    let socket: SocketBox
    var token: UInt64 = 0
    var lastUse: Int64 = 0

    init(_ port: DatagramPort, _ sender: SocketAddress, _ socket: SocketBox) {
        self.port = port
        self.sender = sender
        self.socket = socket
    }
}
