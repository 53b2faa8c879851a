// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import Networking

// Links on the default network, where containers have no names: lines in /etc/hosts, and variables.
extension ContainerService {
    /// The links with the other containers' ids in place of their names, which may change.
    func resolveLinks(_ host: inout HostConfig) throws(EngineError) {
        let texts = host.list("Links")
        guard !texts.isEmpty, host.networkMode == "bridge" else { return }
        var links: [String] = []
        for text in texts {
            let link = ContainerLink(text)
            var other: Container
            do {
                other = try networkSource(try find(link.name))  // one that shares another's network has its address
            } catch {
                throw .invalidArgument("could not get container for \(link.name): \(error.message)")
            }
            if other.record.networkMode == "host" {
                throw .invalidArgument(
                    "conflicting options: host type networking can't be used with links. This would result in undefined "
                        + "behavior")
            }
            links.append(other.id + ":" + link.alias)
        }
        host.set("Links", .strings(links))
    }

    /// The linked containers; docker's error if one does not run.
    func linked(_ record: ContainerRecord) throws(EngineError) -> [(alias: String, other: ContainerRecord)] {
        guard record.networkMode == "bridge" else { return [] }
        var found: [(alias: String, other: ContainerRecord)] = []
        for text in record.hostConfig.list("Links") {
            let link = ContainerLink(text)
            guard let other = try? find(link.name).record else { continue }  // removed since
            guard other.state.isRunning else {
                throw .internal(
                    "Cannot link to a non running container: /\(other.name) AS /\(record.name)/\(link.alias)")
            }
            guard !(other.defaultAddress.isEmpty) else {
                throw .internal("Cannot link to /\(other.name), as it does not belong to the default network")
            }
            found.append((link.alias, other))
        }
        return found
    }

    /// Lines of /etc/hosts: the alias, the other's host name, and its name.
    func linkLines(_ record: ContainerRecord) throws(EngineError) -> String {
        var text = ""
        for (alias, other) in try linked(record) {
            let name = alias == other.name ? "" : " " + other.name
            text += "\(other.defaultAddress)\t\(alias) \(other.config.hostname)\(name)\n"
        }
        return text
    }

    /// `ALIAS_PORT_80_TCP_ADDR=…` and the others that docker sets.
    func linkEnvironment(_ record: ContainerRecord) throws(EngineError) -> [String] {
        var variables: [String] = []
        for (alias, other) in try linked(record) {
            variables += Self.linkVariables(alias: alias, owner: record.name, other)
        }
        return variables
    }

    static func linkVariables(alias: String, owner: String, _ other: ContainerRecord) -> [String] {
        let prefix = String(alias.uppercased().map { $0 == "-" ? "_" : $0 })
        let address = other.defaultAddress
        var variables: [String] = []
        for (proto, number) in sortedPorts(other) {
            let place = "\(proto)://\(address):\(number)"
            if variables.isEmpty { variables.append("\(prefix)_PORT=\(place)") }
            let name = "\(prefix)_PORT_\(number)_\(proto.uppercased())"
            variables.append("\(name)=\(place)")
            variables.append("\(name)_ADDR=\(address)")
            variables.append("\(name)_PORT=\(number)")
            variables.append("\(name)_PROTO=\(proto)")
        }
        variables.append("\(prefix)_NAME=/\(owner)/\(alias)")
        for variable in other.config.env where variable.contains("=") {
            if !["HOME", "PATH"].contains(Environment.name(of: variable)) {
                variables.append("\(prefix)_ENV_\(variable)")
            }
        }
        return variables
    }

    /// TCP first, then by number.
    private static func sortedPorts(_ record: ContainerRecord) -> [(proto: String, number: Int)] {
        var ports: [(proto: String, number: Int)] = []
        for port in record.config.exposedPorts {
            let parts = port.split(separator: "/").map { String($0) }
            if parts.count == 2, let number = Int(parts[0]) { ports.append((parts[1], number)) }
        }
        return ports.sorted { left, right in
            if left.proto != right.proto { return left.proto == "tcp" }
            return left.number < right.number
        }
    }

    /// Those that link to a container which has just started get its new address.
    func refreshLinks(to id: String) {
        for container in registry.all {
            let record = container.record
            guard record.id != id, record.state.isRunning,
                record.hostConfig.list("Links").contains(where: { ContainerLink($0).name == id })
            else { continue }
            rewriteHosts(record)
        }
    }

    /// The container that `OWNER/ALIAS` means; nil if that is no link's name.
    func containerLink(named reference: String) -> (owner: Container, alias: String, target: Container)? {
        let parts = reference.drop { $0 == "/" }.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let owner = registry.named(String(parts[0])), owner.record.networkMode == "bridge"
        else { return nil }
        let links = owner.record.hostConfig.list("Links").map { ContainerLink($0) }
        guard let link = links.first(where: { $0.alias == parts[1] }), let target = try? registry.find(link.name)
        else { return nil }
        return (owner, link.alias, target)
    }

    /// The further names `/OWNER/ALIAS` that links give to containers, by id.
    func linkNames() -> [String: [String]] {
        var names: [String: [String]] = [:]
        for record in registry.all.map(\.record) where record.networkMode == "bridge" {
            for link in record.hostConfig.list("Links").map({ ContainerLink($0) }) {
                guard let target = try? registry.find(link.name) else { continue }
                names[target.id, default: []].append("/\(record.name)/\(link.alias)")
            }
        }
        return names.mapValues { $0.sorted() }
    }

    /// `docker rm --link OWNER/ALIAS`: the owner knows the other no more by that name. Both containers stay.
    package func removeLink(_ reference: String) async throws {
        guard let link = containerLink(named: reference) else {
            _ = try find(reference)
            throw EngineError.conflict("Conflict, cannot remove the default link name of the container")
        }
        try await link.owner.operations.run { [self] in
            try checkExists(link.owner)
            let record = link.owner.update { record in
                let rest = record.hostConfig.list("Links").filter { ContainerLink($0).alias != link.alias }
                record.hostConfig.set("Links", rest.isEmpty ? .null : .strings(rest))
            }
            save(link.owner)
            guard record.state.isRunning else { return }
            rewriteHosts(record)
            if !record.hostConfig.list("Links").contains(where: { ContainerLink($0).name == link.target.id }) {
                try await networks.removeLink(of: record.id, to: link.target.id)
            }
        }
    }

    /// What inspect shows: `/NAME:/OWNER/ALIAS`.
    func shownLinks(_ record: ContainerRecord) -> JSONValue {
        let links = record.hostConfig.list("Links")
        guard !links.isEmpty, record.networkMode == "bridge" else { return record.hostConfig["Links"] }
        return .strings(
            links.compactMap { text in
                let link = ContainerLink(text)
                guard let other = try? find(link.name) else { return nil }
                return "/\(other.record.name):/\(record.name)/\(link.alias)"
            })
    }
}

extension ContainerRecord {
    /// Its address on the default network; empty if it is not on it.
    var defaultAddress: String { network.networks.first { $0.key == "bridge" }?.value["IPAddress"]?.string ?? "" }

    /// Its addresses on all networks, the first network's first.
    var addresses: [String] {
        network.networks.flatMap { member in
            ["IPAddress", "GlobalIPv6Address"].compactMap { member.value[$0]?.string }.filter { !$0.isEmpty }
        }
    }
}
