// SPDX-License-Identifier: Apache-2.0
import DockerAPI
package import JSON

/// Turns a container's configuration into an OCI runtime spec (config.json, runtime-spec 1.1). Pure: the same input
/// gives the same spec.
package struct SpecBuilder: Sendable {
    let input: SpecInput

    package init(_ input: SpecInput) { self.input = input }

    package func build() throws(SpecError) -> JSONValue {
        let capabilities = try grantedCapabilities()
        var spec: JSONValue = [
            "ociVersion": "1.1.0",
            "process": try process(capabilities: capabilities),
            "root": ["path": "rootfs", "readonly": .bool(input.hostConfig.flag("ReadonlyRootfs"))],
            "hostname": .string(input.uts == .new ? input.config.hostname : ""),
        ]
        if !input.config.domainname.isEmpty, input.uts == .new {
            spec.set("domainname", .string(input.config.domainname))
        }
        spec.set("mounts", .array(mounts()))
        let annotations = input.hostConfig.map("Annotations")
        if !annotations.isEmpty {
            spec.set("annotations", .sorted(annotations.map { ($0.key, .string($0.value)) }))
        }
        spec.set("linux", try linux(capabilities: capabilities))
        return spec
    }

    private func grantedCapabilities() throws(SpecError) -> [String] {
        if input.hostConfig.privileged { return input.host.capabilities }
        return try Capability.select(
            add: input.hostConfig.list("CapAdd"), drop: input.hostConfig.list("CapDrop"),
            available: input.host.capabilities)
    }

    private func linux(capabilities: [String]) throws(SpecError) -> JSONValue {
        let hostConfig = input.hostConfig
        var linux: JSONValue = [
            "resources": try resources(),
            "cgroupsPath": .string(cgroupsPath),
            "namespaces": .array(namespaces()),
        ]
        let sysctl = sysctls()
        if !sysctl.isEmpty { linux.set("sysctl", .sorted(sysctl.map { ($0.key, .string($0.value)) })) }
        if !input.devices.isEmpty { linux.set("devices", .array(input.devices.map { $0.specDevice })) }
        if let seccomp = try seccomp(capabilities: capabilities) { linux.set("seccomp", seccomp) }
        if let propagation = rootPropagation { linux.set("rootfsPropagation", .string(propagation)) }
        let masked = hostConfig["MaskedPaths"].strings ?? (hostConfig.privileged ? [] : DefaultPaths.masked)
        let readonly = hostConfig["ReadonlyPaths"].strings ?? (hostConfig.privileged ? [] : DefaultPaths.readonly)
        if !masked.isEmpty { linux.set("maskedPaths", .strings(masked)) }
        if !readonly.isEmpty { linux.set("readonlyPaths", .strings(readonly)) }
        return linux
    }

    private var cgroupsPath: String {
        let parent = input.hostConfig.text("CgroupParent")
        return CgroupPlace(
            parent: parent.isEmpty ? input.cgroupParent : parent, id: input.id, usesSystemd: input.usesSystemdCgroup
        ).specPath
    }

    private func seccomp(capabilities: [String]) throws(SpecError) -> JSONValue? {
        if input.hostConfig.privileged { return nil }
        let architecture = input.host.architecture
        switch input.security.seccomp {
        case .unconfined: return nil
        case .standard: return SeccompProfile.standard(capabilities: capabilities, architecture: architecture)
        case .custom(let text):
            return try SeccompProfile.custom(text, capabilities: capabilities, architecture: architecture)
        }
    }

    /// Shared or slave mounts need a root that is no longer private.
    private var rootPropagation: String? {
        let wanted = input.mounts.map { $0.propagation }
        if wanted.contains(where: { $0 == "shared" || $0 == "rshared" }) { return "rshared" }
        if wanted.contains(where: { $0 == "slave" || $0 == "rslave" }) { return "rslave" }
        return nil
    }

    // MARK: Namespaces and sysctls

    private func namespaces() -> [JSONValue] {
        var list: [JSONValue] = [["type": "mount"]]
        let kinds: [(String, SpecInput.Namespace)] = [
            ("network", input.network), ("uts", input.uts), ("pid", input.pid), ("ipc", input.ipc),
            ("cgroup", input.cgroup), ("user", input.userNamespace),
        ]
        for (type, namespace) in kinds {
            switch namespace {
            case .host: break
            case .new: list.append(["type": .string(type)])
            case .path(let path): list.append(["type": .string(type), "path": .string(path)])
            }
        }
        return list
    }

    /// Ports below 1024 and ping need no capability in a network namespace of the container's own.
    private func sysctls() -> [(key: String, value: String)] {
        var sysctls = input.hostConfig.map("Sysctls")
        guard input.network != .host else { return sysctls }
        var defaults = [("net.ipv4.ip_unprivileged_port_start", "0")]
        // In a user namespace there are not that many groups.
        if input.userNamespace == .host { defaults.append(("net.ipv4.ping_group_range", "0 2147483647")) }
        for (key, value) in defaults where !sysctls.contains(where: { $0.key == key }) { sysctls.append((key, value)) }
        return sysctls
    }
}

extension HostDevice {
    var specDevice: JSONValue {
        [
            "path": .string(path), "type": .string(type), "major": .int(major), "minor": .int(minor),
            "fileMode": .int(Int64(mode)), "uid": .int(Int64(uid)), "gid": .int(Int64(gid)),
        ]
    }

    var specRule: JSONValue {
        [
            "allow": true, "type": .string(type), "major": .int(major), "minor": .int(minor),
            "access": .string(access),
        ]
    }
}
