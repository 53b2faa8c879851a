// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Netlink

/// Refuses networks that make no sense or cannot be had; the words are docker's.
struct NetworkRequestCheck {
    let request: NetworkRequest
    /// Those that there are.
    let networks: [NetworkRecord]

    func check() throws(NetworkError) {
        guard request.hasIPv4 || request.ipv6 != nil else {
            throw NetworkError(.invalidArgument, "IPv4 or IPv6 must be enabled")
        }
        if request.isConfigOnly { return }
        switch request.driver {
        case "", "bridge": try checkBridge()
        case "macvlan", "ipvlan": try checkParent()
        case "host", "null":
            throw NetworkError(
                .permissionDenied, "only one instance of \"\(request.driver)\" network is allowed")
        case "overlay": throw NetworkError.needsSwarm
        default: break  // the plugin says what it takes
        }
        try checkAddresses()
        if let text = request.options[NetworkRecord.mtuOption], NetworkRecord.mtu(text) == nil {
            throw NetworkError(.invalidArgument, "invalid MTU number: \(text)")
        }
    }

    private func checkBridge() throws(NetworkError) {
        _ = try BridgeOptions(request.options, isInternal: request.isInternal)
        if let name = request.options["com.docker.network.bridge.name"] {
            guard LinkName.isValid(name) else {
                throw NetworkError(.invalidArgument, "invalid bridge name: \(name)")
            }
            guard !networks.contains(where: { $0.bridge == name }) else {
                throw NetworkError(.conflict, "bridge \(name) is in use by another network")
            }
        }
    }

    private func checkParent() throws(NetworkError) {
        let options = try ParentOptions(driver: request.driver, options: request.options, id: "")
        guard !options.isIsolated else { return }
        for other in networks {
            guard let theirs = other.parentOptions, theirs.parent == options.parent else { continue }
            let user = "\(other.driver) network \(other.id)"
            if theirs.isExclusive {
                throw NetworkError(
                    .conflict, "\(user) is already using parent interface \(options.parent) in mode passthru")
            }
            if options.isExclusive {
                throw NetworkError(
                    .conflict,
                    "cannot use mode passthru, \(user) is already using parent interface \(options.parent)")
            }
        }
    }

    private func checkAddresses() throws(NetworkError) {
        guard let subnet = request.subnet, let gateway = request.gateway else { return }
        if subnet.length < 31, [subnet.first, subnet.last].contains(gateway) {
            throw NetworkError(.internal, "failed to allocate gateway (\(gateway)): Address already in use")
        }
        if let taken = request.reserved.first(where: { $0.value == gateway }) {
            throw NetworkError(
                .internal,
                "failed to allocate secondary ip address (\(taken.key):\(gateway)): Address already in use")
        }
    }
}

extension NetworkRequest {
    /// Takes over what a configuration network says. The client may say none of it.
    mutating func take(_ source: NetworkRecord) throws(NetworkError) {
        guard subnet == nil, ipv6 == nil, labels.isEmpty else {
            throw NetworkError(
                .permissionDenied,
                "user specified configurations are not supported if the network depends on a configuration network")
        }
        guard options.isEmpty else {
            throw NetworkError(
                .permissionDenied,
                "network driver options are not supported if the network depends on a configuration network")
        }
        (subnet, gateway, addressRange) = (source.subnet, source.gateway, source.addressRange)
        (reserved, options, labels) = (source.reserved, source.options, source.labels)
        addressing = source.addressing
        ipv6 = source.ipv6.map {
            IPv6Request(subnet: $0.subnet, range: $0.range, gateway: $0.gateway, reserved: $0.reserved)
        }
    }
}

extension NetworkRecord {
    /// Without addresses.
    init(_ request: NetworkRequest, id: String) {
        let driver = request.driver.isEmpty ? "bridge" : request.driver
        self.init(id: id, name: request.name, driver: request.isConfigOnly ? "null" : driver, created: .now)
        if self.driver == "bridge" {
            bridge = request.options["com.docker.network.bridge.name"] ?? "br-" + id.prefix(12)
        }
        addressRange = request.addressRange
        reserved = request.reserved
        isInternal = request.isInternal
        isAttachable = request.isAttachable
        addressing = request.addressing
        options = request.options
        labels = request.labels
        isConfigOnly = request.isConfigOnly
        configFrom = request.configFrom
        passesOverIPv6 = request.ipv6 == nil && request.unusedIPv6.subnet != nil
    }
}
