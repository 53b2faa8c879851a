// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem

/// The devices that files in `/etc/cdi` and `/var/run/cdi` describe (Container Device Interface, SPEC.md of
/// cncf-tags/container-device-interface): by name, what a container gets with each. The files, in JSON or YAML, are the
/// administrator's.
struct CDIRegistry: Sendable {
    private struct Device {
        /// The edits of the file, which come first, and those of the device.
        var edits: [JSONValue]
    }

    private var devices: [String: Device] = [:]

    /// Reads what is there now. A directory that is missing has no devices; a later one's replace an earlier one's.
    init(directories: [FilePath]) {
        for directory in directories {
            for name in ((try? listDirectory(directory)) ?? []).sorted() {
                if let document = Self.document(directory / name) { add(document) }
            }
        }
    }

    /// nil if it is no such file, or cannot be read.
    private static func document(_ path: FilePath) -> JSONValue? {
        let isYAML = path.string.hasSuffix(".yaml") || path.string.hasSuffix(".yml")
        guard isYAML || path.string.hasSuffix(".json"), let text = try? readText(path, limit: 1 << 20) else {
            return nil
        }
        return isYAML ? try? YAMLReader.parse(text) : try? JSONValue(parsing: text)
    }

    private mutating func add(_ document: JSONValue) {
        guard let kind = document["kind"]?.string else { return }
        let common = document["containerEdits"].map { [$0] } ?? []
        for device in document["devices"]?.array ?? [] {
            guard let name = device["name"]?.string else { continue }
            devices[kind + "=" + name] = Device(edits: common + (device["containerEdits"].map { [$0] } ?? []))
        }
    }

    /// Whether any device of this kind (`vendor.com/class`) is known.
    func has(kind: String) -> Bool { devices.keys.contains { $0.hasPrefix(kind + "=") } }

    /// Gives a container the named devices.
    func inject(_ names: [String], into spec: inout JSONValue) throws(SpecError) {
        let unknown = names.filter { devices[$0] == nil }
        guard unknown.isEmpty else {
            throw SpecError(
                "CDI device injection failed: unresolvable CDI devices " + unknown.joined(separator: ", "), .other)
        }
        var applied: [JSONValue] = []
        for name in names {
            for edits in devices[name]?.edits ?? [] where !applied.contains(edits) {
                applied.append(edits)
                try apply(edits, to: &spec)
            }
        }
    }

    private func apply(_ edits: JSONValue, to spec: inout JSONValue) throws(SpecError) {
        var process = spec["process"] ?? .object([])
        let environment = process["env"]?.strings ?? []
        process.set("env", .strings(Environment.merge(environment, edits["env"]?.strings ?? [])))
        let groups = edits["additionalGids"]?.array ?? []
        if !groups.isEmpty {
            var user = process["user"] ?? .object([])
            user.set("additionalGids", .array((user["additionalGids"]?.array ?? []) + groups))
            process.set("user", user)
        }
        spec.set("process", process)
        let mounts = (edits["mounts"]?.array ?? []).map(Self.mount)
        spec.set("mounts", .array((spec["mounts"]?.array ?? []) + mounts))
        try addHooks(edits, to: &spec)
        try addNodes(edits, to: &spec)
    }

    private static func mount(_ mount: JSONValue) -> JSONValue {
        [
            "destination": mount["containerPath"] ?? "", "type": mount["type"] ?? "bind",
            "source": mount["hostPath"] ?? "", "options": mount["options"] ?? ["rbind", "rprivate"],
        ]
    }

    private func addHooks(_ edits: JSONValue, to spec: inout JSONValue) throws(SpecError) {
        var hooks = spec["hooks"] ?? .object([])
        for hook in edits["hooks"]?.array ?? [] {
            guard let name = hook["hookName"]?.string, hook["path"]?.string != nil else {
                throw SpecError("CDI device injection failed: a hook has no name or path", .other)
            }
            var entry = hook
            entry = .object((entry.members ?? []).filter { $0.key != "hookName" })
            hooks.set(name, .array((hooks[name]?.array ?? []) + [entry]))
        }
        if hooks.members?.isEmpty == false { spec.set("hooks", hooks) }
    }

    private func addNodes(_ edits: JSONValue, to spec: inout JSONValue) throws(SpecError) {
        var linux = spec["linux"] ?? .object([])
        var resources = linux["resources"] ?? .object([])
        var nodes = linux["devices"]?.array ?? []
        var rules = resources["devices"]?.array ?? []
        for node in edits["deviceNodes"]?.array ?? [] {
            guard let path = node["path"]?.string else { continue }
            let source = node["hostPath"]?.string ?? path
            let access = node["permissions"]?.string ?? "rwm"
            for var device in try HostDevices.lookUp(source, as: path, access: access) {
                if let mode = node["fileMode"]?.int { device.mode = UInt32(truncatingIfNeeded: mode) }
                if let uid = node["uid"]?.int { device.uid = UInt32(truncatingIfNeeded: uid) }
                if let gid = node["gid"]?.int { device.gid = UInt32(truncatingIfNeeded: gid) }
                nodes.append(device.specDevice)
                rules.append(device.specRule)
            }
        }
        resources.set("devices", .array(rules))
        linux.set("resources", resources)
        if !nodes.isEmpty { linux.set("devices", .array(nodes)) }
        spec.set("linux", linux)
    }
}

/// What `--gpus` and `--device vendor.com/class=name` ask for (docker's DeviceRequest).
enum DeviceRequests {
    /// The names of the CDI devices that are asked for.
    static func names(_ requests: [JSONValue], _ registry: CDIRegistry) throws(SpecError) -> [String] {
        var names: [String] = []
        for request in requests {
            let driver = request["Driver"]?.string ?? ""
            let ids = request["DeviceIDs"]?.strings ?? []
            let capabilities = (request["Capabilities"]?.array ?? []).map { $0.strings ?? [] }
            if driver == "cdi" {
                names += ids
            } else if ["", "nvidia"].contains(driver), capabilities.contains(where: { $0.contains("gpu") }),
                registry.has(kind: nvidia)
            {
                names += gpus(ids, count: request["Count"]?.int ?? 0)
            } else {
                let lists = capabilities.map { "[" + $0.joined(separator: " ") + "]" }.joined(separator: " ")
                throw SpecError("could not select device driver \"\(driver)\" with capabilities: [\(lists)]", .other)
            }
        }
        return names
    }

    private static let nvidia = "nvidia.com/gpu"

    private static func gpus(_ ids: [String], count: Int64) -> [String] {
        if !ids.isEmpty { return ids.map { nvidia + "=" + $0 } }
        if count < 0 { return [nvidia + "=all"] }
        return (0..<max(0, min(count, 256))).map { nvidia + "=\($0)" }
    }
}
