// SPDX-License-Identifier: Apache-2.0
import Netlink

// From records to the firewall's rules.
extension NetworkService {
    /// Makes the rules those that the records ask for.
    func applyFirewall(_ state: NetworkState) throws(NetworkError) {
        var rules = FirewallRules()
        for network in state.networks.values.sorted(by: { $0.bridge < $1.bridge }) where network.driver == "bridge" {
            rules.bridges.append(bridge(network))
        }
        for endpoint in state.endpoints.values {
            guard let network = state.networks[endpoint.networkID] else { continue }
            rules.elements.formUnion(elements(endpoint, network, state))
        }
        try state.firewall.apply(rules)
    }

    private func bridge(_ network: NetworkRecord) -> FirewallRules.Bridge {
        let options = network.bridgeOptions
        var bridge = FirewallRules.Bridge(
            name: network.bridge, subnet: network.subnet,
            masquerade: options?.masquerade ?? configuration.ipMasquerade, isInternal: network.isInternal,
            subnet6: network.ipv6?.subnet)
        if let options {
            (bridge.mode, bridge.mode6) = (options.mode, options.mode6)
            (bridge.source, bridge.source6) = (options.source, options.source6)
            bridge.trustedLinks = options.trustedLinks
        }
        bridge.isDirectlyRouted = configuration.directRouting
        bridge.isRestricted = isRestricted(network) && canRestrictByRules
        return bridge
    }

    private func elements(
        _ endpoint: EndpointRecord, _ network: NetworkRecord, _ state: NetworkState
    ) -> [FirewallRules.Element] {
        let isTrusting = configuration.directRouting || network.bridgeOptions?.trustedLinks.isEmpty == false
        var elements: [FirewallRules.Element] = []
        for port in endpoint.ports {
            guard let target = endpoint.target(ofIPv6: port.hostIP.isIPv6) else { continue }
            if port.hostPort != 0 { elements.append(.published(port, target: target)) }
            if port.hostPort == 0 || isTrusting { elements.append(.opened(port, target: target)) }
        }
        return elements + (isRestricted(network) ? links(endpoint, network, state) : [])
    }

    /// What a container reaches of those that it links to: their exposed ports.
    private func links(
        _ endpoint: EndpointRecord, _ network: NetworkRecord, _ state: NetworkState
    ) -> [FirewallRules.Element] {
        guard let own = endpoint.address?.address, !endpoint.linked.isEmpty else { return [] }
        return state.endpoints(on: network).filter { endpoint.linked.contains($0.containerID) }.flatMap { other in
            other.exposed.compactMap { text in
                guard let address = other.address?.address, let (port, proto) = try? PortMapping.containerPort(text)
                else { return nil }
                return .linked(own, to: address, port, proto)
            }
        }
    }

    /// Forgets a link of a running container (`docker rm --link`).
    package func removeLink(of container: String, to other: String) throws(NetworkError) {
        let state = try open()
        for var endpoint in state.endpoints(of: container) where endpoint.linked.contains(other) {
            endpoint.linked.removeAll { $0 == other }
            try state.save(endpoint)
        }
        try applyFirewall(state)
    }
}
