// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Engine
import JSON

extension ContainerCreateRequest {
    /// Gives the request the meaning that it has in its version of the API: what a version does not know is ignored or
    /// refused as docker does, and its defaults are used.
    mutating func adapt(to version: APIVersion, unifiedCgroups: Bool) throws(EngineError) {
        if version < APIVersion(1, 25) { hostConfig.set("AutoRemove", false) }
        if version < APIVersion(1, 40), hostConfig.text("IpcMode").isEmpty { hostConfig.set("IpcMode", "shareable") }
        if version < APIVersion(1, 41), !unifiedCgroups, hostConfig.text("CgroupnsMode").isEmpty {
            hostConfig.set("CgroupnsMode", "host")
        }
        if version < APIVersion(1, 43) { hostConfig.set("Annotations", .null) }
        if version < APIVersion(1, 44) { try adaptEndpointsAndChecks() }
        if version < APIVersion(1, 48) {
            for index in endpoints.indices { endpoints[index].value.replace("GwPriority", 0) }
        }
        let mounts = hostConfig.objects("Mounts")
        guard !mounts.isEmpty else { return }
        var adapted: [JSONValue] = []
        for mount in mounts { adapted.append(try self.adapted(mount, to: version)) }
        hostConfig.set("Mounts", .array(adapted))
    }

    private mutating func adaptEndpointsAndChecks() throws(EngineError) {
        mountsReadOnlyAtTopOnly = true
        if endpoints.count > 1 {
            throw .invalidArgument(
                "Container cannot be created with multiple network endpoints: "
                    + endpoints.map(\.key).joined(separator: ", "))
        }
        if config.json["MacAddress"]?.string?.isEmpty != false {
            for index in endpoints.indices { endpoints[index].value.replace("MacAddress", "") }
        }
        if var check = config.json["Healthcheck"], check.members != nil {
            check.replace("StartInterval", 0)
            config.set("Healthcheck", check)
        }
    }

    /// An element of `Mounts`.
    private func adapted(_ mount: JSONValue, to version: APIVersion) throws(EngineError) -> JSONValue {
        var mount = mount
        let type = mount["Type"]?.string ?? ""
        if type == "image", version < APIVersion(1, 48) {
            throw .invalidArgument("Mount type \"Image\" needs API v1.48 or newer")
        }
        if version < APIVersion(1, 45), mount["VolumeOptions"]?["Subpath"]?.string?.isEmpty == false {
            throw .invalidArgument("VolumeOptions.Subpath needs API v1.45 or newer")
        }
        if version < APIVersion(1, 44), type == "bind", mount["BindOptions"]?["ReadOnlyForceRecursive"]?.bool == true {
            throw .invalidArgument("BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer")
        }
        for (field, owner) in [("VolumeOptions", "volume"), ("BindOptions", "bind"), ("TmpfsOptions", "tmpfs")]
        where type != owner && mount[field]?.members != nil {
            guard version < APIVersion(1, 42) else {
                throw .invalidArgument("\(field) must not be specified on mount type \"\(type)\"")
            }
            if owner != "bind" { mount.replace(field, .null) }
        }
        if var bind = mount["BindOptions"], bind.members != nil {
            if version < APIVersion(1, 42) { bind.replace("CreateMountpoint", false) }
            if version < APIVersion(1, 40) { bind.replace("NonRecursive", false) }
            mount.replace("BindOptions", bind)
        }
        return mount
    }
}

extension JSONValue {
    /// Replaces a member that is there.
    fileprivate mutating func replace(_ key: String, _ value: JSONValue) {
        if self[key] != nil { set(key, value) }
    }
}
