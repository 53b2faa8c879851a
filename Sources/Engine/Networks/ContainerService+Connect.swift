// SPDX-License-Identifier: Apache-2.0
import DockerAPI
package import JSON
import LinuxSystem
import Netlink
package import Networking

// Networks of an existing container: at once if it runs, and at each later start.
extension ContainerService {
    /// `settings` is docker's EndpointConfig.
    package func connect(
        _ reference: String, network: String, settings: JSONValue
    ) async throws -> (container: String, network: NetworkRecord) {
        let container = try find(reference)
        return try await container.operations.run { [self] in
            let target = try await networks.inspect(network).network
            let record = container.record
            guard !isConnected(record, target) else {
                throw EngineError(
                    .permissionDenied, "endpoint with name \(record.name) already exists in network \(target.name)")
            }
            var view = record.network
            if record.state.isRunning {
                view.add(try await networks.connect(request(record, target, settings)), settings: settings)
            }
            let added = JSONValue.Member(target.name, settings)
            let changed = view
            save(container.update { ($0.endpoints, $0.network) = ($0.endpoints + [added], changed) })
            return (record.id, target)
        }
    }

    /// With `force` a container or connection that is not there is fine.
    package func disconnect(
        _ reference: String, network: String, force: Bool
    ) async throws -> (container: String, network: NetworkRecord) {
        let container = try find(reference)
        return try await container.operations.run { [self] in
            let target = try await networks.inspect(network).network
            let record = container.record
            guard isConnected(record, target) else {
                if force { return (record.id, target) }
                throw EngineError(
                    .permissionDenied, "container \(record.id) is not connected to network \(target.name)")
            }
            let isFirst = names(target).contains(record.networkMode)
            guard record.state.isRunning || !isFirst else {
                throw EngineError.unimplemented(
                    "a container that does not run cannot be disconnected from the network it was created in")
            }
            if record.state.isRunning { try await networks.disconnect(container: record.id, network: target.id) }
            let known = names(target)
            save(
                container.update { record in
                    record.endpoints.removeAll { known.contains($0.key) }
                    record.network.networks.removeAll { known.contains($0.key) }
                    if isFirst { record.network.ports = [] }  // ports are published on the first network only
                })
            return (record.id, target)
        }
    }

    private func names(_ network: NetworkRecord) -> [String] {
        [network.name, network.id] + (network.name == "bridge" ? ["default"] : [])
    }

    /// Of a running container what is in force counts, else what the next start will do.
    private func isConnected(_ record: ContainerRecord, _ network: NetworkRecord) -> Bool {
        let known = names(network)
        if record.state.isRunning { return record.network.networks.contains { known.contains($0.key) } }
        return known.contains(record.networkMode) || record.endpoints.contains { known.contains($0.key) }
    }

    private func request(
        _ record: ContainerRecord, _ network: NetworkRecord, _ settings: JSONValue
    ) throws(NetworkError) -> EndpointRequest {
        var request = EndpointRequest(containerID: record.id, containerName: record.name, mode: network.id)
        request.aliases = settings["Aliases"]?.strings ?? []
        let address = settings["IPAMConfig"]?["IPv4Address"]?.string ?? ""
        guard address.isEmpty || IPv4Address(address) != nil else {
            throw NetworkError(.invalidArgument, "invalid IPv4 address: \(address)")
        }
        request.address = IPv4Address(address)
        return request
    }
}
