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
            try checkExists(container)
            let record = container.record
            let reasons = Self.refusals(of: settings, on: target.name)
            if !reasons.isEmpty {
                throw EngineError.invalidArgument("invalid endpoint settings:\n" + NetworkError.list(reasons))
            }
            if isConnected(record, target) {
                if !record.state.isRunning { return (record.id, target) }  // docker leaves it as it is
                throw EngineError(
                    .permissionDenied, "endpoint with name \(record.name) already exists in network \(target.name)")
            }
            try checkCombination(record, target)
            var view = record.network
            if record.state.isRunning {
                let attachment = try await networks.connect(request(record, target, settings))
                view.add(attachment, settings: settings)
                try rewriteConfigFiles(record, joined: attachment)
            }
            let changed = view
            let known = names(target)
            container.update { record in
                record.endpoints.removeAll { known.contains($0.key) }
                record.endpoints.append(.init(target.name, settings))
                record.network = changed
                if known.contains(record.networkMode) { record.leftFirstNetwork = false }
            }
            save(container)
            return (record.id, target)
        }
    }

    /// Namespaces that are another's, and those without networks, get no further one.
    private func checkCombination(_ record: ContainerRecord, _ network: NetworkRecord) throws(EngineError) {
        if network.driver == "host", record.networkMode != "host" {
            throw .invalidArgument(
                "cannot connect container to host network - container must be created in host network mode")
        }
        if record.networkMode == "host" || record.networkMode.hasPrefix("container:") && record.state.isRunning {
            throw .invalidArgument(
                "container sharing network namespace with another container or host cannot be connected to any other "
                    + "network")
        }
        let isAlone = record.networkMode == "none" && !record.leftFirstNetwork
        let others = record.state.isRunning ? !record.network.networks.isEmpty : !record.isOffAllNetworks
        if isAlone || network.name == "none" && others {
            throw .invalidArgument(
                "container cannot be connected to multiple networks with one of the networks in private (none) mode")
        }
    }

    /// With `force` docker also takes off what is left of a container that it does not know; we leave nothing. A container
    /// that does not run can be taken off a network that is no more, and with `force` any.
    package func disconnect(
        _ reference: String, network: String, force: Bool
    ) async throws -> (container: String, network: NetworkRecord?) {
        let container: Container
        do throws(EngineError) { container = try find(reference) } catch {
            throw force && error.kind == .notFound ? .notFound("endpoint \(reference) not found") : error
        }
        return try await container.operations.run { [self] in
            let record = container.record
            var target: NetworkRecord?
            do { target = try await networks.inspect(network).network } catch {
                guard EngineError(error).kind == .notFound, force || !record.state.isRunning else { throw error }
            }
            try checkExists(container)
            let known = target.map { names($0) } ?? [network]
            guard isConnected(record, known) else {
                let which = record.state.isRunning ? "network" : "the network"
                throw EngineError(
                    .permissionDenied, "container \(record.id) is not connected to \(which) \(target?.name ?? network)")
            }
            var isPublished = false
            if record.state.isRunning, let target {
                isPublished = try await networks.disconnect(container: record.id, network: target.id)
                let old = record.network.networks.first { known.contains($0.key) }?.value
                for key in ["IPAddress", "GlobalIPv6Address"] {
                    removeHostsLine(record, address: old?[key]?.string ?? "")
                }
            }
            let keepsPorts = isPublished
            container.update { record in
                record.endpoints.removeAll { known.contains($0.key) }
                record.network.networks.removeAll { known.contains($0.key) }
                if !keepsPorts { record.network.ports = [] }
                if known.contains(record.networkMode) { record.leftFirstNetwork = true }
            }
            save(container)
            return (record.id, target)
        }
    }

    private func names(_ network: NetworkRecord) -> [String] {
        [network.name, network.id] + (network.name == "bridge" ? ["default"] : [])
    }

    /// Of a running container what is in force counts, else what the next start will do.
    private func isConnected(_ record: ContainerRecord, _ network: NetworkRecord) -> Bool {
        isConnected(record, names(network))
    }

    private func isConnected(_ record: ContainerRecord, _ known: [String]) -> Bool {
        if record.state.isRunning { return record.network.networks.contains { known.contains($0.key) } }
        if known.contains(record.networkMode), !record.leftFirstNetwork { return true }
        return record.endpoints.contains { known.contains($0.key) }
    }

    private func request(
        _ record: ContainerRecord, _ network: NetworkRecord, _ settings: JSONValue
    ) throws(NetworkError) -> EndpointRequest {
        var request = EndpointRequest(containerID: record.id, containerName: record.name, mode: network.id)
        try apply(settings, of: record, to: &request)
        request.ports = try portMappings(record)
        return request
    }
}
