// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Engine
import HTTPServer
import JSON
import LinuxSystem
import Networking

/// `/networks…`.
struct NetworkRoutes {
    let networks: NetworkService
    let containers: ContainerService
    let events: EventHub

    func register(on router: inout Router) {
        router.on(.get, "/networks", list)
        router.on(.get, "/networks/", list)
        router.on(.post, "/networks/create", create)
        router.on(.post, "/networks/prune", prune)
        router.on(.post, "/networks/{id:.*}/connect", connect)
        router.on(.post, "/networks/{id:.*}/disconnect", disconnect)
        router.on(.get, "/networks/{id:.*}", inspect)
        router.on(.delete, "/networks/{id:.*}", remove)
    }

    @Sendable private func list(_ request: Request) async throws -> Response {
        let filters = try filters(
            request, allowed: ["dangling", "driver", "id", "label", "label!", "name", "scope", "type"])
        for type in filters.values("type") where !["builtin", "custom"].contains(type) {
            throw EngineError.invalidArgument("invalid filter: 'type'='\(type)'")
        }
        if filters.values("dangling").contains(where: { !["true", "1", "false", "0"].contains($0) }) {
            throw EngineError.invalidArgument(
                "invalid value for filter 'dangling', must be \"true\" (or \"1\"), or \"false\" (or \"0\")")
        }
        let found = try await networks.list().filter { Self.matches($0, filters) }
        return .json(.ok, .array(found.map { NetworkResource($0).json(withEndpoints: false) }))
    }

    @Sendable private func inspect(_ request: Request) async throws -> Response {
        let status = try await networks.inspect(request.parameter("id"))
        let scope = request.query.get("scope") ?? ""
        guard scope.isEmpty || scope == "local" else {
            throw EngineError.notFound("network \(try request.parameter("id")) not found")
        }
        return .json(.ok, NetworkResource(status).json(withEndpoints: true))
    }

    @Sendable private func create(_ request: Request) async throws -> Response {
        let json = try await request.json()
        try requireObject(json, "network.CreateRequest")
        let body = NetworkCreateRequest(json: json)
        let network = try await networks.create(
            try NetworkRequest(body, knowsIPv4: request.version >= APIVersion(1, 48)))
        publish("create", network)
        return .json(.created, ["Id": .string(network.id), "Warning": ""])
    }

    @Sendable private func remove(_ request: Request) async throws -> Response {
        let name = try request.parameter("id")
        do { publish("destroy", try await networks.remove(name)) } catch {
            // A container that has just ended may still be on its way out.
            guard error.kind == .permissionDenied else { throw error }
            await containers.finishCleanUps()
            publish("destroy", try await networks.remove(name))
        }
        return .empty(.noContent)
    }

    @Sendable private func prune(_ request: Request) async throws -> Response {
        let filters = try filters(request, allowed: ["label", "label!", "until"])
        let until = try filters.untilTimes()
        var names: [String] = []
        for status in try await networks.list() where status.endpoints.isEmpty && !status.network.isPredefined {
            guard until.allSatisfy({ status.network.created < $0 }) else { continue }
            guard filters.matches(labels: status.network.labels.map { ($0.key, $0.value) }) else { continue }
            publish("destroy", try await networks.remove(status.network.id))
            names.append(status.network.name)
        }
        events.publish(type: .network, action: "prune", id: "", attributes: [("reclaimed", "0")])
        return .json(.ok, ["NetworksDeleted": names.isEmpty ? .null : .strings(names)])
    }

    @Sendable private func connect(_ request: Request) async throws -> Response {
        let body = try await request.json()
        try requireObject(body, "network.ConnectOptions")
        let (container, network) = try await containers.connect(
            body["Container"]?.string ?? "", network: request.parameter("id"),
            settings: body["EndpointConfig"] ?? .null)
        publish("connect", network, container: container)
        return .empty(.ok)
    }

    @Sendable private func disconnect(_ request: Request) async throws -> Response {
        let body = try await request.json()
        try requireObject(body, "network.DisconnectOptions")
        let (container, network) = try await containers.disconnect(
            body["Container"]?.string ?? "", network: request.parameter("id"), force: body["Force"]?.bool ?? false)
        if let network { publish("disconnect", network, container: container) }
        return .empty(.ok)
    }

    private static func matches(_ status: NetworkStatus, _ filters: Filters) -> Bool {
        let network = status.network
        let isDangling = status.endpoints.isEmpty && !network.isPredefined
        return filters.matches("name", within: network.name) && filters.matches("id", within: network.id)
            && filters.matches("driver", exactly: network.driver) && filters.matches("scope", exactly: "local")
            && filters.matches("type", exactly: network.isPredefined ? "builtin" : "custom")
            && filters.matches("dangling", anyOf: isDangling ? ["true", "1"] : ["false", "0"])
            && filters.matches(labels: network.labels.map { ($0.key, $0.value) })
    }

    private func publish(_ action: String, _ network: NetworkRecord, container: String? = nil) {
        events.publish(
            type: .network, action: action, id: network.id,
            attributes: [("name", network.name), ("type", network.driver)]
                + (container.map { [("container", $0)] } ?? []))
    }
}
