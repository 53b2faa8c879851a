// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// What a container gets of the host's files: copies of the root's mount and of what is bound into it. They are made on
/// the host's side, where paths mean what the caller meant; by the container's own process if the caller is not root.
struct ContainerSources: ~Copyable {
    let root: MountTree
    var binds: BindSources

    init(_ plan: ContainerPlan) throws(RuntimeError) {
        let binds = try BindSources(plan)
        root = try step("error preparing rootfs") { () throws(SysError) in try rootTree(plan) }
        self.binds = binds
    }
}

private func rootTree(_ plan: ContainerPlan) throws(SysError) -> MountTree {
    let tree = try MountTree.clone(path: plan.rootfs, recursive: true)
    guard isDirectory(try status(tree.fd)) else { throw SysError("open", plan.rootfs.string, .notDirectory) }
    try tree.change(propagation: plan.hostPropagation, recursive: true)
    return tree
}

extension ContainerPlan {
    /// Whether the bind's source is copied before the container's process is there. Else that makes the copy itself when it
    /// comes to the mount, so that the kernel numbers the mounts in the order of the config.
    func copiesEarly(_ mount: MountPlan) -> Bool {
        guard case .bind = mount.kind, mount.innerSource == nil else { return false }
        let isOutOfReach = namespaces.joins(.mount) || (namespaces.hasOtherUsers && !privileges.isUnprivileged)
        // A peer of the host's mount can be made only of that, not of the process's own slave of it.
        return isOutOfReach || mount.idMapping != nil || mount.options.propagation == .shared
    }
}

/// Copies of what the plan binds, by the index of the mount.
struct BindSources: ~Copyable {
    private var descriptors: [CInt] = []  // -1 for mounts that bind nothing; owned: an Array cannot hold OwnedFD

    init(_ plan: ContainerPlan) throws(RuntimeError) {
        var idMaps = IDMapNamespaces()
        for mount in plan.mounts {
            guard plan.copiesEarly(mount), case .bind(let source, let isRecursive) = mount.kind else {
                descriptors.append(-1)
                continue
            }
            let tree = try step(mount.failure) { () throws(SysError) in
                let tree = try MountTree.clone(path: source, recursive: isRecursive)
                if let mapping = mount.idMapping {
                    try idMaps.apply(mapping, of: plan, to: tree, recursive: mount.options.isIDMapRecursive)
                }
                try mount.options.restrictCopy(tree, in: plan)
                return tree
            }
            descriptors.append(try step(mount.failure) { () throws(SysError) in try tree.fd.duplicate() }.relinquish())
        }
    }

    deinit { for number in descriptors where number >= 0 { close(number) } }

    /// The copy for a mount; once.
    mutating func take(_ index: Int) -> MountTree? {
        guard descriptors[index] >= 0 else { return nil }
        let number = descriptors[index]
        descriptors[index] = -1
        return MountTree(OwnedFD(owning: number))
    }
}
