// SPDX-License-Identifier: Apache-2.0
import Netlink

/// Keeps our nftables table as the networks and published ports need it.
final class Firewall {
    let table: String
    let enabled: Bool
    private let enabledForIPv6: Bool
    private var library: NFTables?
    /// The rules in force, as far as we know; nil makes the next `apply` replace the whole table.
    private(set) var current: FirewallRules?

    private var own = OwnGenerations()
    /// Whether we have made a table for IPv6. It is not even named before: a kernel may lack it.
    private var hasIPv6 = false
    /// Whether the kernel has not yet refused to translate addresses of IPv6.
    private var translatesIPv6 = true

    init(table: String, enabled: Bool, enabledForIPv6: Bool = true) {
        self.table = table
        self.enabled = enabled
        self.enabledForIPv6 = enabledForIPv6
    }

    /// Makes the kernel's rules those of `wanted`: only the difference if that is a few map elements, else the whole
    /// table, in one transaction either way.
    func apply(_ wanted: FirewallRules) throws(NetworkError) {
        guard enabled, wanted != current else { return }
        if let current, let commands = wanted.changes(from: current, table: table) {
            do throws(NetworkError) {
                try run(commands)
                self.current = wanted
                return
            } catch {
                // Someone removed the table or an element: put all of it back below.
            }
        }
        current = nil
        try replace(with: wanted)
        current = wanted
    }

    private func replace(with wanted: FirewallRules) throws(NetworkError) {
        var commands = wanted.replacement(table: table)
        let needsIPv6 = wanted.hasIPv6 && enabledForIPv6
        if hasIPv6 || needsIPv6 { commands += removal(family: "ip6") }
        guard needsIPv6 else {
            try run(commands)
            hasIPv6 = false
            return
        }
        do throws(NetworkError) {
            try run(commands + wanted.replacement6(table: table, translates: translatesIPv6))
        } catch {
            guard translatesIPv6 else { throw error }
            try run(commands + wanted.replacement6(table: table, translates: false))
            translatesIPv6 = false
        }
        hasIPv6 = true
    }

    private func removal(family: String) -> String {
        "add table \(family) \(table)\ndelete table \(family) \(table)\n"
    }

    /// Puts the rules back after someone else has removed them.
    func restore() throws(NetworkError) {
        guard enabled, let wanted = current else { return }
        try replace(with: wanted)
    }

    /// True if another program's rules drop forwarded packets unless they allow them, as docker sets it up on its host.
    /// No rule of ours can allow what another table drops.
    func othersDropForwarded() -> Bool {
        guard enabled, let chain = try? run("list chain ip filter FORWARD\n") else { return false }
        return chain.contains("policy drop")
    }

    func remove() throws(NetworkError) {
        guard enabled else { return }
        current = nil
        try run(removal(family: "ip") + (hasIPv6 ? removal(family: "ip6") : ""))
        hasIPv6 = false
    }

    /// Whether a transaction that the kernel reports was one of ours. Each is asked for once.
    func isOwn(_ change: NFTablesChange) -> Bool { own.take(change.generation) }

    @discardableResult
    private func run(_ commands: String) throws(NetworkError) -> String {
        let before = generation()
        defer { own.note(before: before, after: generation()) }
        if let library { return try library.run(commands) }
        let fresh = try NFTables()
        library = fresh
        return try fresh.run(commands)
    }

    private func generation() -> UInt32? {
        do throws(NetlinkError) {
            var socket = try NetlinkSocket(.netfilter)
            return try socket.nftablesGeneration()
        } catch {
            return nil  // then a change of ours is taken for another program's, and put right once more
        }
    }
}

/// The nftables transactions that we made and were not told of yet.
struct OwnGenerations {
    private var numbers: [UInt32] = []

    /// Reports come for transactions that remove something only, so the others must be forgotten some time.
    private static let limit = 64

    /// Notes the transaction between two readings of the generation. With another program's in between it is not known
    /// which was ours, so none is noted.
    mutating func note(before: UInt32?, after: UInt32?) {
        guard let before, let after, after == before &+ 1 else { return }
        numbers.append(after)
        if numbers.count > Self.limit { numbers.removeFirst() }
    }

    /// Whether the transaction of this number was noted; it no longer is then.
    mutating func take(_ number: UInt32?) -> Bool {
        guard let number, let index = numbers.firstIndex(of: number) else { return false }
        numbers.remove(at: index)
        return true
    }
}
