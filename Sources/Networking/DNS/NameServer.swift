// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem
import Netlink
import Synchronization
import Threads

/// The embedded name server: what containers on user-defined networks ask at 127.0.0.11.
///
/// One thread serves all containers. It sleeps in epoll_wait(2) and never blocks on a server, so that one that does not
/// answer holds up nobody else. Each container costs two sockets in its namespace and no process.
///
///     container ──127.0.0.11:53──▶ nat in its namespace ──▶ ResolverSockets ─┐
///     NetworkService (names, views) ──────────── Mutex ──▶ NameTable ────────┤ NameServerLoop
///     the host's or the container's own name servers ◀── Exchange ───────────┘
final class NameServer: Sendable {
    /// How one container's questions are answered.
    struct Client: Sendable, Equatable {
        var view = NameTable.View()
        /// Who is asked for all other names, in order; empty if nobody may be (internal networks).
        var upstreams: [Upstream] = []
        /// The file of the container's network namespace.
        var namespace: String
    }

    /// A name server that questions are passed on to.
    struct Upstream: Sendable, Equatable {
        var address: SocketAddress
        /// A server on the container's own loopback (`--dns 127.0.0.1`): it is asked from within its namespace.
        var isInContainer: Bool
    }

    enum Command: Sendable {
        case serve(container: String, ResolverSockets)
        case end(container: String)
    }

    private struct State {
        var table = NameTable()
        var clients: [String: Client] = [:]
    }

    private let state = Mutex(State())
    let commands = CommandQueue<Command>()

    // MARK: Names

    func set(_ entry: NameTable.Entry, endpoint: String) {
        state.withLock { $0.table.set(entry, endpoint: endpoint) }
    }

    func remove(endpoint: String) { state.withLock { $0.table.remove(endpoint: endpoint) } }

    // MARK: Containers

    /// Begins to answer a container, or goes on with other sockets.
    func serve(_ container: String, _ client: Client, _ sockets: ResolverSockets) throws(SysError) {
        try commands.start { [self] in NameServerLoop(server: self, $0).run() }
        state.withLock { $0.clients[container] = client }
        commands.send(.serve(container: container, sockets))
    }

    /// Changes what a container that is served sees.
    func update(_ container: String, _ change: (inout Client) -> Void) {
        state.withLock { state in
            guard var client = state.clients[container] else { return }
            change(&client)
            state.clients[container] = client
        }
    }

    func isServing(_ container: String) -> Bool { state.withLock { $0.clients[container] != nil } }

    /// Closes a container's sockets, which would keep its namespace alive. One that is not served is fine.
    func end(_ container: String) {
        guard state.withLock({ $0.clients.removeValue(forKey: container) }) != nil else { return }
        commands.send(.end(container: container))
    }

    // MARK: For the loop

    func client(_ container: String) -> Client? { state.withLock { $0.clients[container] } }

    /// The answer from our own records; nil if the question is for others.
    func answer(_ query: DNSQuery, _ client: Client, limit: Int) -> [UInt8]? {
        switch query.type {
        case DNSRecordType.address, DNSRecordType.address6:
            let found = state.withLock { $0.table.places(query.name, client.view) }.shuffled()
            if found.isEmpty { return nil }
            if query.type == DNSRecordType.address {
                return query.answer(addresses: found.compactMap(\.address), limit: limit)
            }
            // A name without such an address exists all the same.
            return query.answer(addresses: found.compactMap(\.address6), limit: limit)
        case DNSRecordType.pointer:
            guard let address = query.reverseAddress else { return nil }
            let name = state.withLock { $0.table.name(of: address, client.view) }
            return name.map { query.answer(pointer: $0) }
        default: return nil
        }
    }
}
