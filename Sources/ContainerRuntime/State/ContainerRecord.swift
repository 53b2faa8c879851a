// SPDX-License-Identifier: Apache-2.0
package import Cgroups
package import JSON
import LinuxSystem
package import OCISpec

/// What `<root>/<id>/state.json` remembers of a container: what cannot be asked from the kernel later.
package struct ContainerRecord: Sendable, Equatable {
    package var ociVersion: String
    package var id: String
    /// The init process; with its start time it is named for ever, however often the pid is used again.
    package var pid: Int32
    package var startTime: UInt64
    package var bundle: String
    /// The config.json that it was made of.
    package var config: String
    package var rootfs: String
    package var created: String
    /// Nil if it has no cgroups.
    package var cgroup: CgroupLocation?
    /// Nil if its cgroup is no unit of systemd's.
    package var unit: SystemdUnit?
    /// The namespaces that are not the host's (`RuntimeLinux.NamespaceType` names).
    package var namespaces: [String]
    package var annotations: [RuntimePair]
    package var poststart: [RuntimeHooks.Hook]
    package var poststop: [RuntimeHooks.Hook]
    /// What processes that are added later take from the container where they say nothing themselves: an object like
    /// the spec's `process`, with `personality`, `memoryPolicy` and `seccompAgent` beside it.
    package var inherited: JSONValue
    /// The limits that are in force; only those that `update` can change.
    package var limits: RuntimeResources

    /// Written as `version`; a reader refuses what it does not know.
    private static let formatVersion: Int64 = 1

    package var json: JSONValue {
        [
            "version": .int(ContainerRecord.formatVersion), "ociVersion": .string(ociVersion), "id": .string(id),
            "pid": .int(Int64(pid)), "startTime": .int(Int64(startTime)), "bundle": .string(bundle),
            "config": .string(config), "rootfs": .string(rootfs), "created": .string(created),
            "cgroupPath": cgroup.map { .string($0.path) } ?? .null, "cgroupBases": cgroup?.basesJSON ?? [],
            "systemdUnit": unit?.json ?? .null,
            "namespaces": .strings(namespaces), "annotations": annotations.sortedObject,
            "hooks": ["poststart": .array(poststart.map { $0.json }), "poststop": .array(poststop.map { $0.json })],
            "limits": limits.limitsJSON, "inherited": inherited,
        ]
    }

    package init(
        plan: ContainerPlan, id: String, pid: Int32, startTime: UInt64, options: LaunchOptions, created: String,
        cgroup: CgroupLocation?, unit: SystemdUnit? = nil
    ) {
        ociVersion = plan.spec.ociVersion
        self.id = id
        self.pid = pid
        self.startTime = startTime
        bundle = options.bundle.string
        config = options.config.string
        rootfs = plan.rootfs.string
        self.created = created
        self.cgroup = cgroup
        self.unit = unit
        namespaces = RuntimeLinux.NamespaceType.allCases.filter { plan.namespaces.isSeparate($0.flag) }
            .map { $0.rawValue }
        annotations = plan.spec.annotations
        poststart = plan.spec.hooks.poststart
        poststop = plan.spec.hooks.poststop
        limits = plan.spec.linux.resources.limits
        inherited = plan.spec.inherited
    }

    package init(_ value: JSONValue) throws(RuntimeError) {
        func text(_ key: String) throws(RuntimeError) -> String {
            guard let found = value[key]?.string else { throw RuntimeError("state.json: no " + key) }
            return found
        }
        guard value["version"]?.int == ContainerRecord.formatVersion else {
            throw RuntimeError("state.json: unknown version")
        }
        ociVersion = try text("ociVersion")
        id = try text("id")
        guard let pid = value["pid"]?.int.flatMap({ Int32(exactly: $0) }), let start = value["startTime"]?.int,
            start >= 0
        else { throw RuntimeError("state.json: no pid") }
        self.pid = pid
        startTime = UInt64(start)
        bundle = try text("bundle")
        config = value["config"]?.string ?? bundle + "/config.json"
        rootfs = try text("rootfs")
        created = try text("created")
        if value["cgroupPath"] != .null {
            cgroup = CgroupLocation(path: try text("cgroupPath"), bases: value["cgroupBases"] ?? [])
        }
        unit = value["systemdUnit"].flatMap { SystemdUnit($0) }
        namespaces = value["namespaces"]?.strings ?? []
        annotations = (value["annotations"]?.stringPairs ?? []).map { RuntimePair(key: $0.key, value: $0.value) }
        let hooks = try valid { () throws(RuntimeSpecError) in try RuntimeHooks(value["hooks"] ?? [:]) }
        poststart = hooks.poststart
        poststop = hooks.poststop
        inherited = value["inherited"] ?? [:]
        limits = try valid { () throws(RuntimeSpecError) in try RuntimeResources(value["limits"] ?? [:]) }
    }
}
