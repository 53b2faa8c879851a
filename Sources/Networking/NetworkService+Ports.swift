// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Netlink

// Published ports: where they are held, and who leads there.
extension NetworkService {
    /// A client that goes on sending datagrams (a DNS or VPN client) keeps a tracked flow alive: without this its
    /// packets would miss a container that came later, or go to one that is gone. TCP needs none of it.
    func forgetFlows(_ endpoint: EndpointRecord) {
        let ports = Set(endpoint.ports.filter { $0.proto == .udp }.map(\.hostPort))
        if ports.isEmpty { return }
        let own = [endpoint.address?.address.bytes, endpoint.address6?.address.bytes]
        do throws(NetlinkError) {
            var netlink = try NetlinkSocket(.netfilter)
            try netlink.forgetFlows { flow in
                flow.proto == 17 && (own.contains(flow.answerer) || ports.contains(flow.destinationPort))
            }
        } catch {
            configuration.warn("forget tracked flows of \(endpoint.containerName): \(error)")
        }
    }

    /// Reserves the host ports; docker's words when one is not free.
    func publish(
        _ endpoint: inout EndpointRecord, _ request: EndpointRequest, _ state: NetworkState
    ) throws(NetworkError) {
        guard !request.ports.isEmpty else { return }
        let options = state.networks[endpoint.networkID]?.bridgeOptions
        do throws(NetworkError) {
            // Numbers that were asked for come first, or one that is looked for could take them.
            let ports = request.ports.filter { $0.hostPorts != nil } + request.ports.filter { $0.hostPorts == nil }
            for mapping in ports {
                let hosts = hosts(of: mapping, endpoint, state)
                let routed = hosts.filter { host in
                    (host.isIPv6 ? options?.mode6 : options?.mode) == .routed
                        && endpoint.target(ofIPv6: host.isIPv6) != nil
                }
                endpoint.ports += try state.ports.reserve(mapping, on: hosts.filter { !routed.contains($0) })
                for host in routed {
                    endpoint.ports.append(
                        BoundPort(
                            containerPort: mapping.containerPort, proto: mapping.proto, hostIP: host, hostPort: 0))
                }
            }
            try allowLoopback(on: state.networks[endpoint.networkID]?.bridge ?? "")
        } catch {
            throw NetworkError(
                error.kind,
                "driver failed programming external connectivity on endpoint \(request.containerName) "
                    + "(\(endpoint.id)): \(error.message)")
        }
    }

    /// Where a mapping without an address is published: on all addresses of both families, as far as the host has them.
    private func hosts(
        of mapping: PortMapping, _ endpoint: EndpointRecord, _ state: NetworkState
    ) -> [HostAddress] {
        if let wanted = mapping.hostIP { return [wanted] }
        let network = state.networks[endpoint.networkID]
        let isDefault = network?.isPredefined == true
        if let binding = isDefault ? configuration.hostBinding : network?.bridgeOptions?.hostBinding {
            return [binding]
        }
        let isProxied = configuration.userlandProxy && mapping.proto != .sctp
        let isReachable6 = (endpoint.address6 != nil || isProxied) && state.ports.hasIPv6
        return (endpoint.address != nil || isProxied ? [.any] : []) + (isReachable6 ? [.anyIPv6] : [])
    }

    /// Serves the ports that no rule of the firewall can lead to the container: on the host's IPv6 addresses, to a
    /// container that has the other family only, and all of them where we write no rules.
    func startProxies(_ endpoint: EndpointRecord, _ state: NetworkState) {
        guard configuration.userlandProxy else { return }
        for port in endpoint.ports {
            let own = endpoint.target(ofIPv6: port.hostIP.isIPv6)
            guard port.hostIP.isIPv6 || own == nil || !configuration.firewall,
                let socket = state.ports.socket(port), let target = own ?? endpoint.target(ofIPv6: !port.hostIP.isIPv6)
            else { continue }
            do throws(SysError) {
                try state.proxy.serve(port, socket, target: SocketAddress(target, port: port.containerPort))
            } catch {
                configuration.warn("serve port \(port.hostPort) of \(endpoint.containerName): \(error.description)")
            }
        }
    }

    /// Lets connections from the host's 127.0.0.1 leave through this bridge (and no other link); our rules keep
    /// containers from reaching the host's loopback by the same door.
    func allowLoopback(on bridge: String) throws(NetworkError) {
        let file = FilePath("/proc/sys/net/ipv4/conf/\(bridge)/route_localnet")
        do throws(SysError) {
            if try readText(file) != "1" { try writeText(file, "1") }
        } catch {
            throw NetworkError(.internal, "allow loopback connections to \(bridge): \(error.description)")
        }
    }
}
