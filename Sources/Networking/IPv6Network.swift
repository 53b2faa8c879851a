// SPDX-License-Identifier: Apache-2.0
import JSON
package import Netlink

/// What a client asks of a network's IPv6 half (`--ipv6`); what is nil is chosen.
package struct IPv6Request: Sendable {
    package var subnet: IPv6Prefix?
    package var range: IPv6Prefix?
    package var gateway: IPv6Address?
    package var reserved: [String: IPv6Address]

    package init(
        subnet: IPv6Prefix?, range: IPv6Prefix?, gateway: IPv6Address?, reserved: [String: IPv6Address] = [:]
    ) {
        self.subnet = subnet
        self.range = range
        self.gateway = gateway
        self.reserved = reserved
    }
}

/// The IPv6 half of a network: its containers reach one another, the host, and what lies beyond with the host's address.
package struct IPv6Network: Sendable, Equatable {
    package var subnet: IPv6Prefix
    package var gateway: IPv6Address
    /// Addresses are given to containers from this part of the subnet only; nil means from all of it.
    package var range: IPv6Prefix?
    /// Addresses that no container gets (`--aux-address`).
    package var reserved: [String: IPv6Address] = [:]

    var bridgeAddress: IPv6Prefix? { IPv6Prefix(gateway, length: subnet.length) }

    /// - Parameter others: subnets that are taken.
    init(_ request: IPv6Request, networkID: String, others: [IPv6Prefix]) throws(NetworkError) {
        guard let subnet = request.subnet?.network ?? Self.local(networkID) else {
            throw NetworkError(.internal, "no IPv6 subnet for network \(networkID)")
        }
        guard subnet.length <= 126 else {
            throw NetworkError(.invalidArgument, "invalid subnet \(subnet): its length must be at most 126")
        }
        guard !others.contains(where: { $0.overlaps(subnet) }) else {
            throw NetworkError(.permissionDenied, "Pool overlaps with other one on this address space")
        }
        self.subnet = subnet
        gateway = request.gateway ?? IPv6Address(rawValue: subnet.first.rawValue &+ 1)
        range = request.range?.network
        reserved = request.reserved
        guard ([gateway, range?.first, range?.last].compactMap { $0 } + reserved.values).allSatisfy(subnet.contains)
        else {
            throw NetworkError(.invalidArgument, "invalid network config: an address is not in the subnet \(subnet)")
        }
    }

    /// A unique local subnet (RFC 4193) of a network whose maker named none: fd00::/8 and 56 bits of its id.
    private static func local(_ id: String) -> IPv6Prefix? {
        guard let random = UInt64(id.prefix(14), radix: 16) else { return nil }
        return IPv6Prefix(IPv6Address(rawValue: (0xfd << 56 | UInt128(random)) << 64), length: 64)
    }

    /// The wanted address if it is free, or else the first free one.
    func next(wanted: IPv6Address?, taken: Set<IPv6Address>) throws(NetworkError) -> IPv6Prefix {
        let taken = taken.union(reserved.values)
        var candidate = wanted ?? (range ?? subnet).first
        if wanted == nil {
            // Every address that is taken can be passed over once; the first one of a subnet is its routers'.
            while taken.contains(candidate) || candidate == gateway || candidate == subnet.first {
                candidate.rawValue &+= 1  // beyond the last address of all is none of the subnet
            }
        }
        guard subnet.contains(candidate), wanted != nil || (range ?? subnet).contains(candidate) else {
            throw wanted == nil
                ? NetworkError(.internal, "no available IPv6 addresses on this network's address pools: \(subnet)")
                : NetworkError(.invalidArgument, "no configured subnet contains IP address \(candidate)")
        }
        guard !taken.contains(candidate), candidate != gateway else {
            throw NetworkError(.conflict, "Address already in use")
        }
        guard let prefix = IPv6Prefix(candidate, length: subnet.length) else {
            throw NetworkError(.internal, "subnet \(subnet) has no valid length")
        }
        return prefix
    }
}

extension IPv6Network {
    /// The stored form.
    var json: JSONValue {
        [
            "subnet": .optional(subnet), "gateway": .optional(gateway), "range": .optional(range),
            "reserved": .map(reserved.mapValues(\.description)),
        ]
    }

    init?(json: JSONValue) {
        guard let subnet = json["subnet"]?.string.flatMap({ IPv6Prefix($0) }),
            let gateway = json["gateway"]?.string.flatMap({ IPv6Address($0) })
        else { return nil }
        self.subnet = subnet
        self.gateway = gateway
        range = json["range"]?.string.flatMap { IPv6Prefix($0) }
        reserved = (json["reserved"]?.map ?? [:]).compactMapValues { IPv6Address($0) }
    }
}
