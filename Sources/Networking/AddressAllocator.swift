// SPDX-License-Identifier: Apache-2.0
package import Netlink

/// Which addresses a network gives out, decided from its records alone.
struct AddressAllocator: Sendable {
    var subnet: IPv4Prefix
    /// The part of the subnet to choose from.
    var range: IPv4Prefix
    var taken: Set<IPv4Address>

    init(network: NetworkRecord, endpoints: [EndpointRecord]) throws(NetworkError) {
        guard let subnet = network.subnet else {
            throw NetworkError(.internal, "network \(network.name) has no subnet")
        }
        self.subnet = subnet.network
        range = network.addressRange?.network ?? subnet.network
        taken = Set(endpoints.compactMap { $0.address?.address })
        taken.formUnion(network.reserved.values)
        if let gateway = network.gateway { taken.insert(gateway) }
        if subnet.length < 31 { taken.formUnion([subnet.first, subnet.last]) }
    }

    /// The wanted address if it is free, or else the first free one.
    func next(wanted: IPv4Address?) throws(NetworkError) -> IPv4Prefix {
        if let wanted {
            guard subnet.contains(wanted) else {
                throw NetworkError(.invalidArgument, "no configured subnet contains IP address \(wanted)")
            }
            guard !taken.contains(wanted) else { throw NetworkError(.conflict, "Address already in use") }
            return try prefix(wanted)
        }
        // Every address that is taken can be passed over once, so this ends after taken.count + 1 steps.
        var candidate = range.first.rawValue
        while candidate <= range.last.rawValue {
            let address = IPv4Address(rawValue: candidate)
            if !taken.contains(address) { return try prefix(address) }
            guard candidate < UInt32.max else { break }
            candidate += 1
        }
        throw NetworkError(.internal, "no available IPv4 addresses on this network's address pools: \(subnet)")
    }

    private func prefix(_ address: IPv4Address) throws(NetworkError) -> IPv4Prefix {
        guard let prefix = IPv4Prefix(address, length: subnet.length) else {
            throw NetworkError(.internal, "subnet \(subnet) has no valid length")
        }
        return prefix
    }
}

/// Chooses subnets for networks whose maker named none.
package struct SubnetChooser: Sendable {
    package var pools: [AddressPool]

    /// Small subnets from ranges that few others use, so that hundreds of networks fit and VPNs are seldom hit.
    package static let defaultPools: [AddressPool] = ["172.30.0.0/16", "172.29.0.0/16", "10.211.0.0/16"].compactMap {
        IPv4Prefix($0).flatMap { AddressPool(base: $0, size: 24) }
    }

    package init(pools: [AddressPool] = []) { self.pools = pools.isEmpty ? SubnetChooser.defaultPools : pools }

    /// The first subnet of the pools that overlaps nothing in `occupied` (the host's routes and our other networks).
    package func choose(avoiding occupied: [IPv4Prefix]) throws(NetworkError) -> IPv4Prefix {
        for pool in pools {
            let step = UInt32(1) << UInt32(32 - pool.size)
            let count = UInt32(1) << UInt32(pool.size - pool.base.length)
            for index in 0..<count {
                let first = IPv4Address(rawValue: pool.base.first.rawValue &+ index &* step)
                guard let subnet = IPv4Prefix(first, length: pool.size) else { continue }
                if !occupied.contains(where: { $0.length > 0 && $0.overlaps(subnet) }) { return subnet }
            }
        }
        throw NetworkError(
            .internal,
            "all predefined address pools have been fully subnetted: give a --subnet, or more --default-address-pool")
    }
}

extension IPv4Prefix {
    /// The first address that a host can have: what a bridge takes when nothing else is said.
    var firstHost: IPv4Address { length < 31 ? IPv4Address(rawValue: first.rawValue + 1) : first }
}
