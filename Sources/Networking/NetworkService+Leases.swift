// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Netlink

// Networks whose addresses a plugin gives. It is asked before anything is made, and told in the background when an address
// or a subnet is free again; what it is told about it has heard before it is asked anew.
extension NetworkService {
    func addressPlugin(_ addressing: Addressing) -> AddressPlugin {
        AddressPlugin(name: addressing.driver, perform: configuration.callPlugin)
    }

    /// The request with the plugin's subnets, gateways and reserved addresses in place of what was left open.
    func leasePools(_ wanted: NetworkRequest, _ state: NetworkState) async throws(NetworkError) -> NetworkRequest {
        var request = wanted
        let plugin = addressPlugin(wanted.addressing)
        await telling[plugin.name]?.value
        do throws(NetworkError) {
            let space = try await plugin.addressSpace()
            request.addressing.needsMACAddress = await plugin.needsMACAddress()
            if wanted.hasIPv4 {
                let pool = try await freePool(plugin, space, wanted, state)
                request.addressing.pool = pool.id
                request.subnet = pool.subnet
                request.gateway = try await gateway(wanted.gateway, pool, wanted.reserved, plugin)
            }
            if let ipv6 = wanted.ipv6 {
                let pool = try await plugin.requestPool(
                    in: space, subnet: ipv6.subnet, range: ipv6.range, options: wanted.addressing.options)
                request.addressing.pool6 = pool.id
                request.ipv6?.subnet = pool.subnet
                request.ipv6?.gateway = try await gateway(ipv6.gateway, pool, ipv6.reserved, plugin)
            }
        } catch {
            giveBack(pools: request)
            throw error
        }
        return request
    }

    /// A subnet that overlaps none that the host knows. What the plugin proposes before is kept from it meanwhile, or it
    /// would propose it again.
    private func freePool(
        _ plugin: AddressPlugin, _ space: String, _ request: NetworkRequest, _ state: NetworkState
    ) async throws(NetworkError) -> AddressPlugin.Pool<IPv4Address> {
        var refused: [String] = []
        defer {
            let pools = refused
            giveBack(to: plugin) { plugin throws(NetworkError) in for id in pools { try await plugin.releasePool(id) } }
        }
        while true {
            let pool = try await plugin.requestPool(
                in: space, subnet: request.subnet, range: request.addressRange, options: request.addressing.options)
            let isFree = try !state.bridges.occupiedPrefixes().contains { $0.length > 0 && $0.overlaps(pool.subnet) }
            if isFree || request.subnet != nil || refused.contains(pool.id) || refused.count == 64 { return pool }
            refused.append(pool.id)
        }
    }

    /// The gateway's address, which the network owns as it does the reserved ones.
    private func gateway<Address>(
        _ wanted: Address?, _ pool: AddressPlugin.Pool<Address>, _ reserved: [String: Address], _ plugin: AddressPlugin
    ) async throws(NetworkError) -> Address {
        var gateway = pool.gateway
        if wanted != nil || gateway == nil {
            do throws(NetworkError) {
                gateway = try await plugin.requestGateway(wanted, of: pool.id).address
            } catch {
                throw NetworkError(
                    .internal, "failed to allocate gateway (\(wanted?.description ?? "")): \(error.message)")
            }
        }
        for (name, address) in reserved.sorted(by: { $0.key < $1.key }) {
            do throws(NetworkError) { _ = try await plugin.requestAddress(address, of: pool.id) } catch {
                throw NetworkError(
                    .internal, "failed to allocate secondary ip address (\(name):\(address)): \(error.message)")
            }
        }
        guard let gateway else { throw NetworkError(.internal, "no gateway in \(pool.subnet)") }
        return gateway
    }

    /// Gives an endpoint the plugin's addresses.
    func leaseAddresses(
        _ endpoint: inout EndpointRecord, _ request: EndpointRequest, _ network: NetworkRecord, _ state: NetworkState
    ) async throws(NetworkError) {
        let plugin = addressPlugin(network.addressing)
        await telling[plugin.name]?.value
        if network.addressing.needsMACAddress { endpoint.macAddress = request.macAddress ?? .random() }
        if network.subnet != nil {
            endpoint.address = try await plugin.requestAddress(
                request.address, of: network.addressing.pool, macAddress: endpoint.macAddress)
            endpoint.gateway = network.containerGateway
            try state.save(endpoint)
        }
        if network.ipv6 != nil, !request.isWithoutIPv6 {
            endpoint.address6 = try await plugin.requestAddress(
                request.address6, of: network.addressing.pool6, macAddress: endpoint.macAddress)
            endpoint.gateway6 = network.containerGateway6
            try state.save(endpoint)
        }
    }

    // MARK: Back to the plugin

    func giveBack(_ endpoint: EndpointRecord, on network: NetworkRecord) {
        let (pool, pool6) = (network.addressing.pool, network.addressing.pool6)
        giveBack(to: addressPlugin(network.addressing)) { plugin throws(NetworkError) in
            if let address = endpoint.address { try await plugin.releaseAddress("\(address.address)", of: pool) }
            if let address = endpoint.address6 { try await plugin.releaseAddress("\(address.address)", of: pool6) }
        }
    }

    func giveBack(pools network: NetworkRecord) {
        var request = NetworkRequest(name: network.name)
        request.addressing = network.addressing
        (request.gateway, request.reserved) = (network.gateway, network.reserved)
        request.ipv6 = network.ipv6.map {
            IPv6Request(subnet: $0.subnet, range: $0.range, gateway: $0.gateway, reserved: $0.reserved)
        }
        giveBack(pools: request)
    }

    /// What was never lent the plugin does not mind.
    func giveBack(pools request: NetworkRequest) {
        let addressing = request.addressing
        let addresses = ([request.gateway].compactMap { $0 } + request.reserved.values).map(\.description)
        let addresses6 = ([request.ipv6?.gateway].compactMap { $0 } + (request.ipv6?.reserved.values.map { $0 } ?? []))
            .map(\.description)
        for (pool, addresses) in [(addressing.pool, addresses), (addressing.pool6, addresses6)] where !pool.isEmpty {
            giveBack(to: addressPlugin(addressing)) { plugin throws(NetworkError) in
                for address in addresses { try? await plugin.releaseAddress(address, of: pool) }
                try await plugin.releasePool(pool)
            }
        }
    }

    private func giveBack(
        to plugin: AddressPlugin, _ body: @escaping @Sendable (AddressPlugin) async throws(NetworkError) -> Void
    ) {
        tell(plugin.name) { () throws(NetworkError) in try await body(plugin) }
    }
}
