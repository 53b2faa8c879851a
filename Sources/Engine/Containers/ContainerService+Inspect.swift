// SPDX-License-Identifier: Apache-2.0
import Archive
import ContainerdAPI
import DockerAPI
package import JSON
import LinuxSystem
import Threads

extension ContainerService {
    /// A container's labels; nil if there is no such container.
    package func labels(of reference: String) -> [(key: String, value: String)]? {
        (try? find(reference))?.record.config.labels
    }

    /// The answer of `GET /containers/{name}/json`: docker's members in docker's order.
    ///
    /// - Parameters:
    ///   - size: also counts the bytes of the writable layer and of the image, which takes its time.
    ///   - aliasesHaveID: the short id is among the aliases, as before API 1.45; compose 1 relies on it.
    package func inspect(_ reference: String, size: Bool, aliasesHaveID: Bool = false) async throws -> JSONValue {
        let container = try find(reference)
        let record = container.record
        let started = record.hasBeenStarted || record.state.isRunning
        func file(_ name: String) -> JSONValue { .string(started ? (directory(record.id) / name).string : "") }
        let hasLog = started && record.hostConfig.logDriver == "json-file"
        let command = record.commandLine
        let execs = container.execIDs
        var json: JSONValue = [
            "Id": .string(record.id), "Created": .string(record.created.rfc3339()),
            "Path": .string(command.first ?? ""), "Args": .strings(Array(command.dropFirst())),
            "State": stateJSON(record), "Image": .string(record.imageID), "ResolvConfPath": file("resolv.conf"),
            "HostnamePath": file("hostname"), "HostsPath": file("hosts"),
            "LogPath": .string(hasLog ? logPath(record).string : ""), "Name": .string("/" + record.name),
            "RestartCount": .int(Int64(record.restartCount)), "Driver": .string(GraphDriver.name), "Platform": "linux",
            "MountLabel": "", "ProcessLabel": "", "AppArmorProfile": "",
            "ExecIDs": execs.isEmpty ? .null : .strings(execs), "HostConfig": .null,
            "GraphDriver": Self.graphDriver(record),
        ]
        json.set("HostConfig", shownHostConfig(record))
        if size {
            let bytes = await sizes(record)
            json.set("SizeRw", .int(bytes.writable))
            json.set("SizeRootFs", .int(bytes.total))
        }
        json.set("Mounts", .array(record.mounts.filter { $0.kind != .tmpfs }.map { $0.json }))
        json.set("Config", record.shownConfig.inspectJSON)
        json.set("NetworkSettings", networkSettings(aliasesHaveID ? record.withIDsAmongAliases : record))
        return json
    }

    private static func graphDriver(_ record: ContainerRecord) -> JSONValue {
        let mount = record.rootfs.first
        let layers = mount.flatMap { try? LayerStack(type: $0.type, source: $0.source, options: $0.options) }
        let pid = record.state.isRunning ? record.state.pid : 0
        return GraphDriver.json(layers, merged: pid > 0 ? FilePath("/proc/\(pid)/root") : nil)
    }

    private func shownHostConfig(_ record: ContainerRecord) -> JSONValue {
        var host = record.hostConfig
        ContainerDefaults.addUlimits(configuration.defaultUlimits, to: &host)
        var json = host.inspectJSON
        json.set("Links", shownLinks(record))
        return json
    }

    func sizes(_ record: ContainerRecord) async -> (writable: Int64, total: Int64) {
        let writable = await writtenBytes(record)
        let image = (try? await images.resolve(record.imageID).size) ?? 0
        return (writable, writable.addingSaturating(image))
    }

    /// The lengths of the files in a container's writable layer; 0 if it has none.
    func writtenBytes(_ record: ContainerRecord) async -> Int64 {
        guard let upper = try? stack(record).upper else { return 0 }
        return (try? await pool.run { try treeUsage(upper).lengths }) ?? 0
    }

    private func stateJSON(_ record: ContainerRecord) -> JSONValue {
        let state = record.state
        let never = "0001-01-01T00:00:00Z"  // Go's zero time
        let finished = state.lastStart == nil ? nil : state.lastExit?.finishedAt
        var json: JSONValue = [
            "Status": .string(state.name), "Running": .bool(state.isRunning || state.isRestarting),
            "Paused": .bool(state.isPaused), "Restarting": .bool(state.isRestarting),
            "OOMKilled": .bool(state.oomKilled), "Dead": .bool(state.isDead),
            "Pid": .int(Int64(state.pid)), "ExitCode": .int(Int64(state.exitCode)),
            "Error": .string(state.lastExit?.message ?? ""),
            "StartedAt": .string(state.lastStart?.rfc3339() ?? never),
            "FinishedAt": .string(finished?.rfc3339() ?? never),
        ]
        if let health = record.health { json.set("Health", health.json) }
        return json
    }

    private func networkSettings(_ record: ContainerRecord) -> JSONValue {
        let networks = record.shownNetworks
        let bridge = networks.first { $0.key == "bridge" }?.value ?? .null
        func text(_ key: String) -> JSONValue { bridge[key] ?? "" }
        let sandbox = record.network.sandboxKey
        return [
            "Bridge": "", "SandboxID": .string(sandbox.isEmpty ? "" : record.id), "SandboxKey": .string(sandbox),
            "Ports": record.shownPorts, "HairpinMode": false, "LinkLocalIPv6Address": "", "LinkLocalIPv6PrefixLen": 0,
            "SecondaryIPAddresses": .null, "SecondaryIPv6Addresses": .null, "EndpointID": text("EndpointID"),
            "Gateway": text("Gateway"), "GlobalIPv6Address": text("GlobalIPv6Address"),
            "GlobalIPv6PrefixLen": bridge["GlobalIPv6PrefixLen"] ?? 0,
            "IPAddress": text("IPAddress"), "IPPrefixLen": bridge["IPPrefixLen"] ?? 0,
            "IPv6Gateway": text("IPv6Gateway"), "MacAddress": text("MacAddress"), "Networks": .object(networks),
        ]
    }
}

extension ContainerRecord {
    /// With the hardware address that was asked for on the first network, where older clients look for it.
    fileprivate var shownConfig: ContainerConfig {
        var shown = config
        let wanted = endpointSettings(Self.networkKeys(networkMode))["MacAddress"]?.string ?? ""
        if shown.json["MacAddress"]?.string?.isEmpty != false, !wanted.isEmpty {
            shown.set("MacAddress", .string(wanted))
        }
        return shown
    }

    var withIDsAmongAliases: ContainerRecord {
        var copy = self
        for index in copy.network.networks.indices {
            var settings = copy.network.networks[index].value
            guard let names = settings["DNSNames"]?.strings, names.contains(shortID) else { continue }
            let aliases = settings["Aliases"]?.strings ?? []
            settings.set("Aliases", .strings(aliases.filter { $0 != shortID } + [shortID]))
            copy.network.networks[index] = .init(copy.network.networks[index].key, settings)
        }
        return copy
    }

    /// The networks of a running container, or those that it will be on.
    var shownNetworks: [JSONValue.Member] {
        let mode = networkMode
        if state.isRunning || !network.networks.isEmpty || mode.hasPrefix("container:") { return network.networks }
        let first = leftFirstNetwork ? [] : [unattached(mode, endpointSettings(Self.networkKeys(mode)))]
        let shown = leftFirstNetwork ? [] : [mode, "default"]
        return first + endpoints.filter { !shown.contains($0.key) }.map { unattached($0.key, $0.value) }
    }

    /// docker's EndpointSettings before the start.
    private func unattached(_ network: String, _ settings: JSONValue) -> JSONValue.Member {
        let isNamed = !["bridge", "default", "host", "none"].contains(network)
        let names = isNamed ? networkNames(aliases: settings["Aliases"]?.strings ?? []) : []
        return .init(
            network,
            [
                "IPAMConfig": settings["IPAMConfig"] ?? .null, "Links": settings["Links"] ?? .null,
                "Aliases": settings["Aliases"] ?? .null, "MacAddress": settings["MacAddress"] ?? "",
                "DriverOpts": settings["DriverOpts"] ?? .null, "GwPriority": settings["GwPriority"] ?? 0,
                "NetworkID": "",
                "EndpointID": "", "Gateway": "", "IPAddress": "", "IPPrefixLen": 0, "IPv6Gateway": "",
                "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0, "DNSNames": names.isEmpty ? .null : .strings(names),
            ])
    }

    /// `{"80/tcp":[{"HostIp":…,"HostPort":…}]}`; exposed ports that are not published have null. Empty unless it runs.
    var shownPorts: JSONValue {
        guard state.isRunning else { return .object([]) }
        var keys = config.exposedPorts
        for port in network.ports where !keys.contains(port.key) { keys.append(port.key) }
        return .sorted(
            keys.map { key in
                let bound = network.ports.filter { $0.key == key }
                let list = bound.map { port -> JSONValue in
                    [
                        "HostIp": .string(port.hostIP),
                        "HostPort": .string(port.hostPort == 0 ? "" : String(port.hostPort)),
                    ]
                }
                return (key, list.isEmpty ? .null : .array(list))
            })
    }
}
