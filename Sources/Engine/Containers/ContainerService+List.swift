// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
package import JSON
import LinuxSystem
import OCISpec

/// What `GET /containers/json` is asked for.
package struct ContainerListRequest: Sendable {
    /// Also those that do not run.
    package var all = false
    /// The newest so many, running or not; 0 is no limit.
    package var limit = 0
    package var size = false
    package var filters = Filters()

    package init() {}
}

extension ContainerService {
    private static let filterKeys = [
        "ancestor", "before", "exited", "expose", "health", "id", "is-task", "isolation", "label", "label!", "name",
        "network", "publish", "since", "status", "volume",
    ]

    /// The newest first.
    package func list(_ request: ContainerListRequest) async throws -> JSONValue {
        let filter = try await ContainerFilter(request, self)
        try allow(request.filters, Self.filterKeys)
        var records = Self.newestFirst(registry.all.lazy.map { $0.record }.filter { filter.passes($0) })
        if request.limit > 0 { records = Array(records.prefix(request.limit)) }
        var list: [JSONValue] = []
        let holders = await holders(of: Set(records.map(\.imageName)))
        let linkNames = linkNames()
        for record in records {
            var json = await summary(record, size: request.size)
            // A name that went, or means another image now, would mislead.
            if holders[record.imageName] != record.imageID { json.set("Image", .string(record.imageID)) }
            if let names = linkNames[record.id] { json.set("Names", .strings(["/" + record.name] + names)) }
            list.append(json)
        }
        return .array(list)
    }

    private static func newestFirst(_ records: some Sequence<ContainerRecord>) -> [ContainerRecord] {
        let records = Array(records)
        // Places are sorted: to move a record counts references to all that it has.
        let order = records.indices.map { (place: $0, created: records[$0].created, id: records[$0].id) }
        return order.sorted { ($1.created, $0.id) < ($0.created, $1.id) }.map { records[$0.place] }
    }

    /// The IDs of the images that names stand for now; of those that stand for one.
    private func holders(of names: Set<String>) async -> [String: String] {
        var holders: [String: String] = [:]
        for name in names { holders[name] = try? await images.find(name).0.id }
        return holders
    }

    private func summary(_ record: ContainerRecord, size: Bool) async -> JSONValue {
        var json: JSONValue = [
            "Id": .string(record.id), "Names": .strings(["/" + record.name]), "Image": .string(record.imageName),
            "ImageID": .string(record.imageID), "Command": .string(Self.shownCommand(record.commandLine)),
            "Created": .int(record.created.seconds), "Ports": .array(ports(record)),
        ]
        if size {
            let bytes = await sizes(record)
            json.set("SizeRw", .int(bytes.writable))
            json.set("SizeRootFs", .int(bytes.total))
        }
        json.set("Labels", .sorted(record.config.labels.map { ($0.key, .string($0.value)) }))
        json.set("State", .string(record.state.name))
        json.set("Status", .string(record.statusText(now: .now)))
        json.set("HostConfig", ["NetworkMode": .string(record.networkMode)])
        json.set("NetworkSettings", ["Networks": .object(record.shownNetworks)])
        json.set("Mounts", .array(record.mounts.filter { $0.kind != .tmpfs }.map { $0.json }))
        return json
    }

    /// Arguments with spaces are quoted for the reader, as docker does.
    static func shownCommand(_ command: [String]) -> String {
        guard let program = command.first else { return "" }
        let arguments = command.dropFirst().map { $0.contains(" ") ? "'" + $0 + "'" : $0 }
        return ([program] + arguments).joined(separator: " ")
    }

    private func ports(_ record: ContainerRecord) -> [JSONValue] {
        guard record.state.isRunning else { return [] }
        let published = record.network.ports.compactMap { port -> JSONValue? in
            guard let (number, type) = Self.split(port.key) else { return nil }
            var shown: JSONValue = ["IP": .string(port.hostIP), "PrivatePort": .int(number)]
            if port.hostPort != 0 { shown.set("PublicPort", .int(Int64(port.hostPort))) }
            shown.set("Type", .string(type))
            return shown
        }
        let exposed = record.config.exposedPorts.filter { key in !record.network.ports.contains { $0.key == key } }
        return published
            + exposed.compactMap { key in
                guard let (number, type) = Self.split(key) else { return nil }
                return ["PrivatePort": .int(number), "Type": .string(type)]
            }
    }

    /// `80/tcp`
    private static func split(_ key: String) -> (Int64, String)? {
        let parts = key.split(separator: "/").map { String($0) }
        guard let first = parts.first, let number = Int64(first) else { return nil }
        return (number, parts.count > 1 ? parts[1] : "tcp")
    }
}
