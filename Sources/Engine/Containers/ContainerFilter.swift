// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import LinuxSystem

/// Decides which containers a list request means. What needs a look-up (images, other containers) is looked up first.
struct ContainerFilter: Sendable {
    private let filters: Filters
    private let all: Bool
    private let exitCodes: [Int32]
    private let before: Timestamp?
    private let since: Timestamp?
    private let ancestors: Set<String>
    private let isTask: Bool?

    init(_ request: ContainerListRequest, _ service: ContainerService) async throws {
        filters = request.filters
        let asksForState = ["status", "exited"].contains { request.filters.contains($0) }
        all = request.all || request.limit > 0 || asksForState
        for status in filters.values("status") where !ContainerState.names.contains(status) {
            throw EngineError.invalidArgument("invalid filter 'status=\(status)'")
        }
        for health in filters.values("health") where !Health.names.contains(health) {
            throw EngineError.invalidArgument("unrecognized filter value for health: \(health)")
        }
        isTask = try filters.bool("is-task")
        for key in ["publish", "expose"] { try Self.checkPorts(key, filters.values(key)) }
        exitCodes = try filters.values("exited").map { (text) throws(EngineError) in
            guard let code = Int32(text) else {
                throw .invalidArgument(
                    "invalid filter 'exited=\(text)': strconv.Atoi: parsing \"\(text)\": invalid syntax")
            }
            return code
        }
        before = try filters.values("before").first.map { (name) throws(EngineError) in
            try service.find(name).record.created
        }
        since = try filters.values("since").first.map { (name) throws(EngineError) in
            try service.find(name).record.created
        }
        ancestors = await Self.ancestors(filters.values("ancestor"), service)
    }

    /// Refuses what is neither a port nor a range of ports, with a protocol or without.
    private static func checkPorts(_ key: String, _ values: [String]) throws(EngineError) {
        for value in values {
            let frame = "error while looking up for \(key) \(value): "
            if value.contains(":") {
                throw .invalidArgument("filter for '\(key)' should not contain ':': \(value)")
            }
            let ends = value.prefix { $0 != "/" }.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            for end in ends where UInt16(end) == nil {
                let reason = !end.isEmpty && end.allSatisfy(\.isNumber) ? "value out of range" : "invalid syntax"
                throw .invalidArgument(frame + "strconv.ParseUint: parsing \"\(end)\": " + reason)
            }
            if let low = UInt16(ends[0]), let high = ends.last.flatMap({ UInt16($0) }), high < low {
                throw .invalidArgument(frame + "invalid range specified for port: \(ends.joined(separator: "-"))")
            }
        }
    }

    /// The IDs of the images with these names, and of those that stand on their layers.
    private static func ancestors(_ names: [String], _ service: ContainerService) async -> Set<String> {
        var ids: Set<String> = []
        for name in names {
            guard let image = try? await service.images.resolve(name) else { continue }
            ids.insert(image.id)
            ids.formUnion((try? await service.images.images(above: image)) ?? [])
        }
        return ids
    }

    func passes(_ record: ContainerRecord) -> Bool {
        let state = record.state
        if !all, !state.isRunning, !state.isRestarting { return false }
        guard filters.matches("id", within: record.id), matchesName(record),
            filters.matches("status", exactly: state.name), filters.matches(labels: record.config.labels)
        else { return false }
        if !exitCodes.isEmpty, state.lastExit.map({ exitCodes.contains($0.code) }) != true || state.isRunning {
            return false
        }
        if let before, record.created >= before { return false }
        if let since, record.created <= since { return false }
        if filters.contains("ancestor"), !ancestors.contains(record.imageID) { return false }
        return matchesNetwork(record) && matchesVolume(record) && matchesPorts(record) && matchesRest(record)
    }

    private func matchesName(_ record: ContainerRecord) -> Bool {
        let wanted = filters.values("name")
        if wanted.isEmpty { return true }
        return filters.matches("name", within: record.name) || filters.matches("name", within: "/" + record.name)
    }

    private func matchesNetwork(_ record: ContainerRecord) -> Bool {
        let wanted = filters.values("network")
        return wanted.isEmpty
            || record.shownNetworks.contains { member in
                let id = member.value["NetworkID"]?.string ?? ""
                return wanted.contains { $0 == member.key || !id.isEmpty && id.hasPrefix($0) }
            }
    }

    private func matchesVolume(_ record: ContainerRecord) -> Bool {
        let wanted = filters.values("volume")
        return wanted.isEmpty
            || record.mounts.contains { mount in
                wanted.contains { [mount.name, mount.destination, mount.source].contains($0) }
            }
    }

    private func matchesPorts(_ record: ContainerRecord) -> Bool {
        if !filters.contains("expose"), !filters.contains("publish") { return true }
        let published = record.network.ports
        let onHost = published.map { port in
            String(port.hostPort) + (port.key.firstIndex(of: "/").map { port.key[$0...] } ?? "")
        }
        return filters.contains("publish") && matches("publish", onHost)
            || filters.contains("expose") && matches("expose", record.config.exposedPorts + published.map { $0.key })
    }

    /// `80`, `80/tcp` or `8000-8010/udp` among ports with their protocols.
    private func matches(_ key: String, _ ports: [String]) -> Bool {
        let wanted = filters.values(key)
        if wanted.isEmpty { return true }
        return wanted.contains { text in
            let parts = text.split(separator: "/").map { String($0) }
            let type = parts.count > 1 ? parts[1] : "tcp"
            let ends = (parts.first ?? "").split(separator: "-").compactMap { Int($0) }
            guard let low = ends.first, let high = ends.last, low <= high else { return false }
            return ports.contains { port in
                let pieces = port.split(separator: "/").map { String($0) }
                guard let number = pieces.first.flatMap({ Int($0) }) else { return false }
                return (low...high).contains(number) && (pieces.count > 1 ? pieces[1] : "tcp") == type
            }
        }
    }

    /// No container here is a task of a swarm.
    private func matchesRest(_ record: ContainerRecord) -> Bool {
        isTask != true
            && filters.matches("health", exactly: record.health?.status.rawValue ?? "none")
            && filters.matches("isolation", anyOf: ["", "default"])
    }
}
