// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Engine
import LinuxSystem
import Netlink
import Networking

// Between docker's texts and the network service's values.

extension NetworkResource {
    init(_ status: NetworkStatus) {
        let network = status.network
        self.init(
            id: network.id, name: network.name, driver: network.driver, created: network.created.rfc3339())
        isInternal = network.isInternal
        isConfigOnly = network.isConfigOnly
        configFrom = network.configFrom
        hasIPv4 = network.subnet != nil || !network.hasInterfaces
        isAttachable = network.isAttachable
        options = network.options.map { ($0.key, $0.value) }
        labels = network.labels.map { ($0.key, $0.value) }
        ipamDriver = network.addressing.driver
        ipamOptions = network.addressing.options.map { ($0.key, $0.value) }
        if network.addressing.isAbsent {
            hasIPv4 = true
            configs = [AddressConfig(subnet: Addressing.absentPool)]
        }
        if let subnet = network.subnet {
            var config = AddressConfig(subnet: subnet.description)
            config.range = network.addressRange?.description ?? ""
            config.gateway = network.gateway?.description ?? ""
            config.auxiliary = network.reserved.map { ($0.key, $0.value.description) }
            configs = [config]
        }
        if let ipv6 = network.ipv6 {
            hasIPv6 = true
            var config = AddressConfig(subnet: ipv6.subnet.description)
            config.range = ipv6.range?.description ?? ""
            config.gateway = ipv6.gateway.description
            config.auxiliary = ipv6.reserved.map { ($0.key, $0.value.description) }
            configs.append(config)
        }
        endpoints = status.endpoints.map { endpoint in
            var shown = Endpoint(
                containerID: endpoint.containerID, name: endpoint.containerName, endpointID: endpoint.id,
                macAddress: endpoint.macAddress?.description ?? "", address: endpoint.address?.description ?? "")
            shown.address6 = endpoint.address6?.description ?? ""
            return shown
        }
    }
}

extension NetworkRequest {
    /// - Parameter knowsIPv4: whether clients of this API version may do without IPv4.
    init(_ body: NetworkCreateRequest, knowsIPv4: Bool) throws(EngineError) {
        self.init(name: body.name)
        driver = body.driver.isEmpty ? "bridge" : body.driver
        let ipv4 = body.configs.filter { !$0.isIPv6 }
        let ipv6 = body.configs.filter(\.isIPv6)
        try Self.checkScope(body)
        if ipv4.count > 1 || ipv6.count > 1 {
            guard driver == "bridge" else {
                throw .unimplemented("several subnets of a \(driver) network are not implemented")
            }
            throw EngineError(.permissionDenied, "bridge driver doesn't support multiple subnets")
        }
        var reasons: [String] = []
        let checked4 = ipv4.first.map { CheckedConfig<IPv4Address>($0, &reasons) }
        var reasons6: [String] = []
        let checked6 = ipv6.first.map { CheckedConfig<IPv6Address>($0, &reasons6) }
        if body.enablesIPv6 == true { reasons += reasons6 }  // else docker passes over what is said of it
        guard reasons.isEmpty else {
            throw .invalidArgument("invalid network config:\n" + NetworkError.list(reasons))
        }
        unusedIPv6 = IPv6Request(
            subnet: checked6?.subnet, range: checked6?.range, gateway: checked6?.gateway,
            reserved: checked6?.auxiliary ?? [:])
        // Addresses that docker passes over without the flag.
        if body.enablesIPv6 == true { self.ipv6 = unusedIPv6 }
        hasIPv4 = !knowsIPv4 || body.enablesIPv4 != false
        isConfigOnly = body.isConfigOnly
        configFrom = body.configFrom
        subnet = checked4?.subnet
        addressRange = checked4?.range
        gateway = checked4?.gateway
        reserved = checked4?.auxiliary ?? [:]
        addressing = Addressing(
            driver: body.ipamDriver.isEmpty ? Addressing.ownDriver : body.ipamDriver,
            options: Dictionary(pairs: body.ipamOptions))
        isInternal = body.isInternal
        isAttachable = body.isAttachable
        options = Dictionary(pairs: body.options)
        labels = Dictionary(pairs: body.labels)
    }
}

extension NetworkRequest {
    /// What there is in swarms only, and no addresses where some are needed.
    private static func checkScope(_ body: NetworkCreateRequest) throws(EngineError) {
        if body.isConfigOnly, body.isIngress || body.isInternal || body.isAttachable || !body.scope.isEmpty {
            throw EngineError(
                .permissionDenied,
                "configuration network can only contain network specific fields. Network operator fields like "
                    + "[ ingress | internal | attachable | scope ] are not supported.")
        }
        if body.isIngress {
            throw EngineError(.permissionDenied, "Ingress network can only be global scope network")
        }
        if body.scope == "swarm" {
            throw EngineError(.permissionDenied, "cannot create a swarm scoped network when swarm is not active")
        }
        if body.ipamDriver == Addressing.absentDriver, !NetworkRecord.isPlugin(body.driver) {
            throw .invalidArgument("ipv4 pool is empty")
        }
    }
}

/// One entry of a network's IPAM configuration.
private struct CheckedConfig<Address: NetworkAddress> {
    var subnet: AddressPrefix<Address>?
    var range: AddressPrefix<Address>?
    var gateway: Address?
    var auxiliary: [String: Address] = [:]

    /// - Parameter reasons: gets docker's words for all that is wrong with the entry.
    init(_ config: NetworkCreateRequest.AddressConfig, _ reasons: inout [String]) {
        subnet = Self.network(config.subnet, "subnet", &reasons)
        if !config.range.isEmpty {
            range = Self.network(config.range, "ip-range", &reasons)
            if let subnet, let range, !(subnet.contains(range.first) && subnet.contains(range.last)) {
                reasons.append("invalid ip-range \(range): parent subnet \(subnet) doesn't contain ip-range")
            }
        }
        if !config.gateway.isEmpty {
            gateway = address(config.gateway, "gateway \(config.gateway)", &reasons)
        }
        for (key, value) in config.auxiliary.sorted(by: { $0.key < $1.key }) {
            auxiliary[key] = address(value, "auxiliary address \(key)", &reasons)
        }
    }

    private static func network(
        _ text: String, _ what: String, _ reasons: inout [String]
    ) -> AddressPrefix<Address>? {
        guard let prefix = AddressPrefix<Address>(text) else {
            reasons.append("invalid \(what) \(text): invalid CIDR block notation")
            return nil
        }
        if prefix != prefix.network { reasons.append("invalid \(what) \(text): it should be \(prefix.network)") }
        return prefix
    }

    private func address(_ text: String, _ what: String, _ reasons: inout [String]) -> Address? {
        guard let address = Address(text) else {
            reasons.append("invalid \(what): invalid address")
            return nil
        }
        if let subnet, !subnet.contains(address) {
            reasons.append("invalid \(what): parent subnet \(subnet) doesn't contain this address")
        }
        return address
    }
}

extension NetworkCreateRequest.AddressConfig {
    fileprivate var isIPv6: Bool { subnet.contains(":") }
}
