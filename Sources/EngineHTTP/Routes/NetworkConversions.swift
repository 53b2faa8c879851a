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
        isAttachable = network.isAttachable
        options = network.options.map { ($0.key, $0.value) }
        labels = network.labels.map { ($0.key, $0.value) }
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
    init(_ body: NetworkCreateRequest) throws(EngineError) {
        self.init(name: body.name)
        driver = body.driver.isEmpty ? "bridge" : body.driver
        let ipv4 = body.configs.filter { !$0.isIPv6 }
        let ipv6 = body.enablesIPv6 ? body.configs.filter(\.isIPv6) : []  // which docker else passes over
        for (isAsked, what) in [
            (body.isIngress, "ingress networks"), (body.isConfigOnly, "config-only networks"),
            (!["", "default"].contains(body.ipamDriver), "IPAM drivers"),
        ] where isAsked { throw .unimplemented("\(what) are not implemented") }
        guard ipv4.count < 2, ipv6.count < 2 else {
            throw EngineError(.permissionDenied, "bridge driver doesn't support multiple subnets")
        }
        if body.enablesIPv6 { self.ipv6 = try IPv6Request(ipv6.first) }
        if let config = ipv4.first {
            subnet = try parsed(config.subnet, "subnet") { IPv4Prefix($0) }
            addressRange = try parsed(config.range, "ip-range") { IPv4Prefix($0) }
            gateway = try parsed(config.gateway, "gateway") { IPv4Address($0) }
            for (key, value) in config.auxiliary {
                reserved[key] = try parsed(value, "aux-address") { IPv4Address($0) }
            }
        }
        isInternal = body.isInternal
        isAttachable = body.isAttachable
        options = Dictionary(pairs: body.options)
        labels = Dictionary(pairs: body.labels)
    }
}

extension IPv6Request {
    /// - Parameter config: nil leaves the choice of everything to the network.
    fileprivate init(_ config: NetworkCreateRequest.AddressConfig?) throws(EngineError) {
        let subnet = try parsed(config?.subnet ?? "", "subnet") { IPv6Prefix($0) }
        if let subnet, subnet != subnet.network {
            throw .invalidArgument("invalid network config:\ninvalid subnet \(subnet): it should be \(subnet.network)")
        }
        self.init(
            subnet: subnet, range: try parsed(config?.range ?? "", "ip-range") { IPv6Prefix($0) },
            gateway: try parsed(config?.gateway ?? "", "gateway") { IPv6Address($0) })
    }
}

extension NetworkCreateRequest.AddressConfig {
    fileprivate var isIPv6: Bool { subnet.contains(":") }
}

private func parsed<T>(_ text: String, _ what: String, _ parse: (String) -> T?) throws(EngineError) -> T? {
    if text.isEmpty { return nil }
    guard let value = parse(text) else { throw .invalidArgument("invalid network config: invalid \(what) \(text)") }
    return value
}
