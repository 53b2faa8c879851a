// SPDX-License-Identifier: Apache-2.0
import Confinement
package import LinuxSystem
package import OCISpec

/// Everything that starting a container does, decided: a spec becomes this value, and the launcher only executes it.
package struct ContainerPlan: Sendable, Equatable {
    package var process: ProcessPlan
    package var namespaces: NamespacePlan
    package var uidMappings: [RuntimeLinux.IDMapping]
    package var gidMappings: [RuntimeLinux.IDMapping]
    package var rootfs: FilePath
    package var isRootReadOnly: Bool
    /// What mount events of the host do in the container; slave unless the spec says `private`.
    package var hostPropagation: MountPropagation
    /// Set on the container's root once everything is mounted.
    package var rootPropagation: (MountPropagation, recursive: Bool)? {
        propagation(spec.linux.rootfsPropagation)
    }
    package var mounts: [MountPlan] = []
    package var devices: [DevicePlan]
    /// False if /dev is a mount of the host's, which must not be touched.
    package var populatesDev: Bool
    package let spec: RuntimeSpec
    package let privileges: HostPrivileges

    /// Checks the spec and works out the plan; `bundle` is absolute.
    package init(
        _ spec: RuntimeSpec, bundle: FilePath, privileges: HostPrivileges = HostPrivileges()
    ) throws(RuntimeError) {
        self.spec = spec
        self.privileges = privileges
        try ContainerPlan.check(spec)
        guard let process = spec.process else { throw RuntimeError("process property must not be empty") }
        guard let root = spec.root else { throw RuntimeError("root must be specified") }
        self.process = try ProcessPlan(process)
        try self.process.adjust(to: privileges)
        // Of crun's, which podman sets for `--group-add keep-groups`.
        if spec.annotation("run.oci.keep_original_groups") == "1" { self.process.confinement.keepsGroups = true }
        self.process.scheduling = try valid { () throws(RuntimeSpecError) in
            try ContainerPlan.scheduling(process, spec.linux)
        }
        namespaces = try NamespacePlan(spec.linux.namespaces)
        uidMappings = spec.linux.uidMappings
        gidMappings = spec.linux.gidMappings
        rootfs = FilePath(root.path).isAbsolute ? FilePath(root.path) : bundle / root.path
        isRootReadOnly = root.isReadOnly
        hostPropagation = spec.linux.rootfsPropagation.hasSuffix("private") ? .isPrivate : .slave
        for entry in spec.mounts {
            var mount = try MountPlan(entry, bundle: bundle, rootfs: rootfs)
            mount.findInnerSource(in: rootfs, after: mounts)
            mounts.append(mount)
        }
        devices = try DevicePlan.all(spec.linux.devices)
        populatesDev = !mounts.contains { mount in
            guard mount.isDev, case .bind = mount.kind else { return false }
            return true
        }
        try checkConsistency()
        if privileges.isUnprivileged { try checkUnprivileged() }
    }

    private static func check(_ spec: RuntimeSpec) throws(RuntimeError) {
        guard let major = spec.ociVersion.split(separator: ".").first, major == "1" else {
            throw RuntimeError("unsupported spec version: " + spec.ociVersion)
        }
        let known = ["", "shared", "rshared", "slave", "rslave", "private", "rprivate", "unbindable", "runbindable"]
        if !known.contains(spec.linux.rootfsPropagation) {
            throw RuntimeError("rootfsPropagation=" + spec.linux.rootfsPropagation + " is not supported")
        }
    }

    private func checkConsistency() throws(RuntimeError) {
        if (!spec.hostname.isEmpty || !spec.domainname.isEmpty) && !namespaces.isSeparate(.uts) {
            throw RuntimeError("unable to set hostname without a private UTS namespace")
        }
        if namespaces.new.contains(.user), uidMappings.isEmpty || gidMappings.isEmpty {
            throw RuntimeError("user namespaces enabled, but no user mapping found")
        }
        if namespaces.joins(.user), !uidMappings.isEmpty || !gidMappings.isEmpty {
            throw RuntimeError(
                "user namespace enabled, but both namespace path and ID mappings specified -- "
                    + "you may only provide one")
        }
        try checkTime()
        if !spec.linux.networkDevices.isEmpty, !namespaces.isSeparate(.network) {
            throw RuntimeError("unable to move network devices without a NET namespace")
        }
        for device in spec.linux.networkDevices where !isInterfaceName(device.hostName) || !isInterfaceName(device.name)
        {
            throw RuntimeError("invalid network device name \"" + device.hostName + "\" or \"" + device.name + "\"")
        }
        if !namespaces.isSeparate(.user), !uidMappings.isEmpty || !gidMappings.isEmpty {
            throw RuntimeError("user namespace mappings specified, but user namespace isn't enabled in the config")
        }
        for path in spec.linux.maskedPaths + spec.linux.readonlyPaths where !FilePath(path).isAbsolute {
            throw RuntimeError("masked and read-only paths must be absolute: " + path)
        }
        for pair in spec.linux.sysctl { try checkSysctl(pair.key) }
        for mount in mounts where mount.idMapping?.uids.isEmpty == true && !namespaces.isSeparate(.user) {
            throw RuntimeError(
                "invalid mount " + mount.destination
                    + ": id-mapped mounts must have mappings, or the container a user namespace")
        }
    }

    /// The host's id of the process's user, if it may manage its cgroups itself: it has a view of its own of them, and
    /// may write to it.
    package var cgroupOwner: UInt32? {
        guard namespaces.new.contains([.user, .cgroup]),
            mounts.contains(where: { $0.kind == .cgroup && !$0.options.set.contains(.readOnly) })
        else { return nil }
        let uid = process.confinement.uid
        for mapping in uidMappings where uid >= mapping.containerID && uid - mapping.containerID < mapping.size {
            return mapping.hostID &+ (uid - mapping.containerID)
        }
        return nil
    }

    /// Device nodes may not be made by root of a user namespace: the host's own are bound instead.
    package var bindsDevices: Bool { namespaces.isSeparate(.user) || privileges.isInUserNamespace }

    private func checkTime() throws(RuntimeError) {
        let offsets = spec.linux.timeOffsets
        if offsets.isEmpty { return }
        if namespaces.joins(.time) {
            throw RuntimeError(
                "time namespace enabled, but both namespace path and time offsets specified -- "
                    + "you may only provide one")
        }
        if !namespaces.new.contains(.time) {
            throw RuntimeError("time namespace offsets specified, but time namespace isn't enabled in the config")
        }
        for offset in offsets where offset.clock != "monotonic" && offset.clock != "boottime" {
            throw RuntimeError("clock \"" + offset.clock + "\" cannot be time namespaced")
        }
    }

    private static func scheduling(
        _ process: RuntimeProcess, _ linux: RuntimeLinux
    ) throws(RuntimeSpecError) -> Scheduling {
        var scheduling = try Scheduling(process)
        if let domain = linux.personality { scheduling.personality = try personalityNumber(domain) }
        if let policy = linux.memoryPolicy { scheduling.memoryPolicy = try .make(policy) }
        return scheduling
    }

    /// Only settings that belong to a namespace of the container's own may be changed (sysctl(2) has no other guard).
    private func checkSysctl(_ key: String) throws(RuntimeError) {
        let name = String(decoding: key.utf8.map { $0 == UInt8(ascii: "/") ? UInt8(ascii: ".") : $0 }, as: UTF8.self)
        if name.split(separator: ".", omittingEmptySubsequences: false).contains(where: { $0.isEmpty }) {
            throw RuntimeError("invalid sysctl \"" + key + "\"")
        }
        if name.hasPrefix("net.") {
            guard namespaces.isSeparate(.network) else {
                throw RuntimeError("sysctl \"" + key + "\" is not allowed in the hosts network namespace")
            }
            return
        }
        if ipcSysctls.contains(name) || name.hasPrefix("fs.mqueue.") {
            guard namespaces.isSeparate(.ipc) else {
                throw RuntimeError("sysctl \"" + key + "\" is not allowed in the hosts ipc namespace")
            }
            return
        }
        if name == "kernel.domainname", namespaces.isSeparate(.uts) { return }
        if name == "kernel.hostname" {
            throw RuntimeError(
                "sysctl \"kernel.hostname\" is not allowed as it conflicts with the OCI \"hostname\" field")
        }
        throw RuntimeError("sysctl \"" + key + "\" is not in a separate kernel namespace")
    }

    package static func == (left: ContainerPlan, right: ContainerPlan) -> Bool {
        left.spec == right.spec && left.process == right.process && left.namespaces == right.namespaces
            && left.rootfs == right.rootfs && left.mounts == right.mounts && left.devices == right.devices
    }
}

private func isInterfaceName(_ name: String) -> Bool {
    let isPlain = name.utf8.allSatisfy { $0 > 32 && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":") }
    return isPlain && (1...15).contains(name.utf8.count) && name != "." && name != ".."
}

private let ipcSysctls = [
    "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni",
    "kernel.shm_rmid_forced",
]

private func propagation(_ name: String) -> (MountPropagation, recursive: Bool)? {
    let isRecursive = name.hasPrefix("r")
    switch isRecursive ? String(name.dropFirst()) : name {
    case "shared": return (.shared, isRecursive)
    case "slave": return (.slave, isRecursive)
    case "private": return (.isPrivate, isRecursive)
    case "unbindable": return (.unbindable, isRecursive)
    default: return nil
    }
}

extension RuntimeSpec {
    /// The value of an annotation; nil if there is none of this name.
    func annotation(_ key: String) -> String? { annotations.first { $0.key == key }?.value }
}
