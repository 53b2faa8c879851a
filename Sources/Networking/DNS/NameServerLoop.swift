// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem
import Netlink

/// The thread of the name server: everything here belongs to it alone.
final class NameServerLoop {
    /// What a descriptor is for; its token finds it.
    enum Source {
        case datagrams(container: String, SocketBox)
        case listener(container: String, SocketBox)
        case connection(ResolverConnection)
        case exchange(Exchange)
    }

    /// Questions of one container that other servers may be asked at the same time (docker allows 1024).
    static let maximumExchanges = 256
    static let maximumConnections = 64

    let server: NameServer
    private let box: EpollBox
    private var sources: [UInt64: Source] = [:]
    private var nextToken: UInt64 = 1

    init(server: NameServer, _ box: EpollBox) {
        self.server = server
        self.box = box
    }

    /// Serves until the process ends.
    func run() {
        while true {
            for event in (try? box.epoll.wait(timeoutMilliseconds: milliseconds())) ?? [] { handle(event) }
            expire()
        }
    }

    private func handle(_ event: Epoll.Event) {
        if event.token == server.commands.token { return server.commands.take().forEach(perform) }
        switch sources[event.token] {
        case .datagrams(let container, let socket): receive(container, socket)
        case .listener(let container, let socket): accept(container, socket)
        case .connection(let connection): proceed(connection, event.token)
        case .exchange(let exchange): proceed(exchange, event.token)
        case nil: break  // closed while an earlier event was handled
        }
    }

    private func perform(_ command: NameServer.Command) {
        switch command {
        case .serve(let container, let sockets):
            drop(container)
            add(.datagrams(container: container, sockets.datagrams), sockets.datagrams.fd.raw, .readable)
            add(.listener(container: container, sockets.listener), sockets.listener.fd.raw, .readable)
        case .end(let container): drop(container)
        }
    }

    // MARK: Sources

    @discardableResult
    func add(_ source: Source, _ number: CInt, _ interest: Readiness) -> UInt64? {
        let token = nextToken
        guard (try? box.epoll.add(number, token: token, interest)) != nil else { return nil }
        nextToken += 1
        sources[token] = source
        return token
    }

    func modify(_ number: CInt, _ token: UInt64, _ interest: Readiness) {
        try? box.epoll.modify(number, token: token, interest)
    }

    /// Forgets a source; its descriptor is closed with its last owner.
    func remove(_ token: UInt64) { sources[token] = nil }

    func connection(_ token: UInt64) -> ResolverConnection? {
        if case .connection(let connection) = sources[token] { return connection }
        return nil
    }

    private func drop(_ container: String) { sources = sources.filter { $0.value.container != container } }

    private func count(_ container: String, _ isCounted: (Source) -> Bool) -> Int {
        sources.values.count { $0.container == container && isCounted($0) }
    }

    // MARK: Questions

    private func receive(_ container: String, _ socket: SocketBox) {
        for _ in 0..<16 {  // then others' turn: what is left makes the socket ready again
            guard let (message, sender) = receiveDatagram(socket.fd, upTo: 4096) else { return }
            take(message, container, .datagram(socket, sender))
        }
    }

    /// One question: answered from our records, or passed on.
    func take(_ message: [UInt8], _ container: String, _ path: ReplyPath) {
        guard let client = server.client(container), message.count > DNSQuery.headerBytes else { return }
        guard let query = DNSQuery(message) else {
            // Not for us to understand: another server may (another class, an unusual opcode).
            return forward(message, nil, client, container, path)
        }
        let limit = path.isDatagram ? 512 : 65535
        if let answer = server.answer(query, client, limit: limit) { return send(answer, path) }
        forward(message, query, client, container, path)
    }

    private func forward(
        _ message: [UInt8], _ query: DNSQuery?, _ client: NameServer.Client, _ container: String, _ path: ReplyPath
    ) {
        let isBusy = count(container) { if case .exchange = $0 { true } else { false } } >= Self.maximumExchanges
        guard !client.upstreams.isEmpty, !isBusy else {
            if let query { send(query.answer(isBusy ? .refused : .serverFailure), path) }
            return
        }
        let exchange = Exchange(
            container: container, message: message, upstreams: client.upstreams, namespace: client.namespace, path: path
        )
        begin(exchange)
    }

    // MARK: Connections

    private func accept(_ container: String, _ socket: SocketBox) {
        guard let fd = try? UnixSocket.accept(socket.fd, nonBlocking: true) else { return }
        let isOpen = count(container) { if case .connection = $0 { true } else { false } }
        guard isOpen < Self.maximumConnections else { return }
        let connection = ResolverConnection(container: container, SocketBox(fd))
        add(.connection(connection), connection.socket.fd.raw, .readable)
    }

    // MARK: Time

    private var deadlines: [(token: UInt64, at: Int64)] {
        sources.compactMap { entry in entry.value.deadline.map { (entry.key, $0) } }
    }

    private func milliseconds() -> CInt {
        guard let next = deadlines.map(\.at).min() else { return -1 }
        return CInt(clamping: max(0, (next - monotonicNanoseconds()) / 1_000_000 + 1))
    }

    private func expire() {
        let now = monotonicNanoseconds()
        for (token, at) in deadlines where at <= now {
            switch sources[token] {
            case .exchange(let exchange): retry(exchange, token)
            default: remove(token)
            }
        }
    }
}

extension NameServerLoop.Source {
    var container: String {
        switch self {
        case .datagrams(let container, _), .listener(let container, _): container
        case .connection(let connection): connection.container
        case .exchange(let exchange): exchange.container
        }
    }

    /// When it is given up, in nanoseconds of the monotonic clock; nil for those that stay.
    var deadline: Int64? {
        switch self {
        case .datagrams, .listener: nil
        case .connection(let connection): connection.deadline
        case .exchange(let exchange): exchange.deadline
        }
    }
}

/// Where an answer goes.
enum ReplyPath {
    case datagram(SocketBox, SocketAddress)
    /// The token of a client's connection.
    case connection(UInt64)

    var isDatagram: Bool { if case .datagram = self { true } else { false } }
}
