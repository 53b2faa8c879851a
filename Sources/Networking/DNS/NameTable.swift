// SPDX-License-Identifier: Apache-2.0
import Netlink

/// The names of containers on user-defined networks, as the embedded name server answers them.
struct NameTable: Sendable {
    /// A container's place on one network.
    struct Entry: Sendable, Equatable {
        var network: String
        var networkName: String
        var address: IPv4Address?
        var address6: IPv6Address?
        /// Container name first: it is what the address's reverse name is made of.
        var names: [String]
    }

    /// What one container sees.
    struct View: Sendable, Equatable {
        /// Ids of the networks that it is on, in the order in which they are asked.
        var networks: [String] = []
        /// Names that only this container knows (`--link`): network id, then alias, to a name on that network.
        var links: [String: [String: String]] = [:]
    }

    private var entries: [String: Entry] = [:]
    /// Network id, then name in lower case, to the ids of the endpoints that have it.
    private var byName: [String: [String: Set<String>]] = [:]

    /// Adds or replaces the names of an endpoint.
    mutating func set(_ entry: Entry, endpoint: String) {
        remove(endpoint: endpoint)
        entries[endpoint] = entry
        for name in entry.names { byName[entry.network, default: [:]][name.lowercased(), default: []].insert(endpoint) }
    }

    mutating func remove(endpoint: String) {
        guard let old = entries.removeValue(forKey: endpoint) else { return }
        for name in old.names { drop(name.lowercased(), endpoint, old.network) }
        if byName[old.network]?.isEmpty == true { byName[old.network] = nil }
    }

    private mutating func drop(_ name: String, _ endpoint: String, _ network: String) {
        byName[network]?[name]?.remove(endpoint)
        if byName[network]?[name]?.isEmpty == true { byName[network]?[name] = nil }
    }

    /// The places of a name, which is in lower case: `web`, or with its network `web.backend`. Empty if no network of
    /// the view has it. The first network that knows the name decides.
    func places(_ name: String, _ view: View) -> [Entry] {
        for network in view.networks {
            let target = view.links[network]?[name] ?? name
            if let found = byName[network]?[target.lowercased()], !found.isEmpty { return places(of: found) }
        }
        // Both names may have dots.
        for dot in name.indices.reversed() where name[dot] == "." {
            let host = String(name[..<dot])
            let domain = name[name.index(after: dot)...]
            for network in view.networks {
                guard let found = byName[network]?[host], let first = found.first, let entry = entries[first],
                    entry.networkName.lowercased() == domain
                else { continue }
                return places(of: found)
            }
        }
        return []
    }

    private func places(of endpoints: Set<String>) -> [Entry] {
        endpoints.compactMap { entries[$0] }.sorted {
            ($0.address ?? .any, $0.address6?.rawValue ?? 0) < ($1.address ?? .any, $1.address6?.rawValue ?? 0)
        }
    }

    /// `NAME.NETWORK` of an address; nil if no network of the view has it.
    func name(of address: HostAddress, _ view: View) -> String? {
        let entry = entries.values.first { entry in
            guard view.networks.contains(entry.network) else { return false }
            let own = [entry.address.map { HostAddress.ipv4($0) }, entry.address6.map { HostAddress.ipv6($0) }]
            return own.contains(address)
        }
        return entry.flatMap { entry in entry.names.first.map { $0 + "." + entry.networkName } }
    }
}
