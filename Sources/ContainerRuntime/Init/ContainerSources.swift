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

/// Copies of what the plan binds, by the index of the mount.
struct BindSources: ~Copyable {
    private var descriptors: [CInt] = []  // -1 for mounts that bind nothing; owned: an Array cannot hold OwnedFD

    init(_ plan: ContainerPlan) throws(RuntimeError) {
        var idMaps = IDMapNamespaces()
        for mount in plan.mounts {
            guard case .bind(let source, let isRecursive) = mount.kind, mount.innerSource == nil else {
                descriptors.append(-1)
                continue
            }
            let context = "error mounting \"\(source.string)\" to rootfs at \"\(mount.destination)\""
            let tree = try step(context) { () throws(SysError) in
                let tree = try MountTree.clone(path: source, recursive: isRecursive)
                if let mapping = mount.idMapping {
                    try idMaps.apply(mapping, of: plan, to: tree, recursive: mount.options.isIDMapRecursive)
                }
                try mount.options.restrictCopy(tree, in: plan)
                return tree
            }
            descriptors.append(try step(context) { () throws(SysError) in try tree.fd.duplicate() }.relinquish())
        }
    }

    /// A copy of what is in the container's own root by now.
    static func copy(_ path: String, in root: borrowing OwnedFD, for mount: MountPlan, of plan: ContainerPlan)
        throws(SysError) -> MountTree
    {
        let tree = try MountTree.clone(
            of: try openInRoot(root, path, O_PATH), recursive: mount.options.isRecursiveBind)
        try mount.options.restrictCopy(tree, in: plan)
        return tree
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
