// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
import LinuxSystem
import OCISpec

/// Mounts and nodes of a container's root, made by the container's own process in its new mount namespace, before it
/// enters the root. Everything is found by descriptor from `root`: the tree's content is hostile.
struct RootBuilder: ~Copyable {
    /// The root of the container's tree (O_PATH semantics: the detached mount of the launcher, attached by now), or what
    /// a mount of the spec has put over it.
    private(set) var root: OwnedFD
    let plan: ContainerPlan
    let cgroup: ContainerCgroup

    /// Attaches the tree over this namespace's root, where pivot_root(2) can take it from, without any path. Hooks and
    /// whoever stays in the host's mount namespace expect it at its own place.
    init(attaching tree: borrowing MountTree, plan: ContainerPlan, cgroup: ContainerCgroup) throws(RuntimeError) {
        let isOwnNamespace = plan.namespaces.isSeparate(.mount)
        if isOwnNamespace {
            // MS_PRIVATE or MS_SLAVE, with MS_REC
            let propagation: UInt = plan.hostPropagation == .isPrivate ? 0x4_0000 : 0x8_0000
            try step("make the mounts of the host \(plan.hostPropagation == .isPrivate ? "private" : "slaves")") {
                () throws(SysError) in
                try sys("mount", "/") { swrun_mount(nil, "/", nil, propagation | 0x4000, nil) }
            }
        }
        try step("attach the root file system") { () throws(SysError) in
            let isSeen = !isOwnNamespace || plan.spec.hooks.hasAnyBeforeEntry
            let place = try open(isSeen ? plan.rootfs : FilePath("/"), O_PATH | O_DIRECTORY)
            try tree.attach(on: place)
        }
        root = try step("") { () throws(SysError) in try tree.fd.duplicate() }
        self.plan = plan
        self.cgroup = cgroup
    }

    /// Makes one mount; `source` is the launcher's copy of what is to be bound.
    mutating func mount(
        _ index: Int, source: consuming MountTree?, _ channel: borrowing ChildChannel
    ) throws(RuntimeError) {
        let mount = plan.mounts[index]
        let context = mount.failure
        switch mount.kind {
        case .bind(let path, _):
            let tree = try copyToBind(path, index, source, channel)
            let isDirectory = try step(context) { () throws(SysError) in LinuxSystem.isDirectory(try status(tree.fd)) }
            let target = try step(context) { () throws(SysError) in try openTarget(mount, isDirectory: isDirectory) }
            try step(context) { () throws(SysError) in
                try tree.attach(on: target)
                if mount.destination == "/" { root = try tree.fd.duplicate() }
            }
        case .fileSystem(let type, let name):
            try step(context) { () throws(SysError) in
                let tree = try mountNew(type, name, mount)
                if mount.destination == "/" { root = try tree.fd.duplicate() }
            }
        case .cgroup:
            try step(context) { () throws(SysError) in try mountCgroups(mount) }
        case .link(let target):
            try step(context) { () throws(SysError) in try makeLink(to: target, at: FilePath(mount.destination)) }
        }
    }

    private borrowing func copyToBind(
        _ path: FilePath, _ index: Int, _ source: consuming MountTree?, _ channel: borrowing ChildChannel
    ) throws(RuntimeError) -> MountTree {
        if let source { return source }
        return try step(plan.mounts[index].failure) { () throws(SysError) in try copy(path, index, channel) }
    }

    /// A copy of what the host has there, or the container's root since mounts were made in it.
    private borrowing func copy(
        _ source: FilePath, _ index: Int, _ channel: borrowing ChildChannel
    ) throws(SysError) -> MountTree {
        let mount = plan.mounts[index]
        let tree: MountTree
        if let path = mount.innerSource {
            tree = try MountTree.clone(
                of: try openInRoot(root, path, O_PATH), recursive: mount.options.isRecursiveBind)
        } else {
            tree = try MountTree.clone(path: source, recursive: mount.options.isRecursiveBind)
        }
        if mount.idMapping != nil {
            try channel.send(.mapping(tree.fd.raw, mount: Int32(truncatingIfNeeded: index)))
            try channel.waitForGo()
        }
        try mount.options.restrictCopy(tree, in: plan)
        return tree
    }

    /// One that is there already must be the same.
    private borrowing func makeLink(to target: String, at path: FilePath) throws(SysError) {
        let parent = try makeDirectoriesInRoot(root, path.parent.string)
        let (number, name) = (parent.raw, path.lastComponent)
        do throws(SysError) { try sys("symlinkat", path.string) { symlinkat(target, number, name) } } catch {
            let found = try? readLink(parent.procPath / name).string
            if error.errno != .exists || found != target { throw error }
        }
    }

    private borrowing func mountNew(
        _ type: String, _ source: String, _ mount: MountPlan
    ) throws(SysError) -> MountTree {
        var options = mount.options.fileSystem
        if type == "tmpfs", !options.contains(where: { $0.hasPrefix("mode=") }),
            let covered = try? openInRoot(root, mount.destination, O_PATH | O_DIRECTORY)
        {
            options.append("mode=" + String(try status(covered).st_mode & 0o7777, radix: 8))
        }
        let target = try openTarget(mount)
        if mount.options.set.contains(.readOnly) && !mount.options.copiesUp && type != "tmpfs" { options.append("ro") }
        let tree = try MountTree.new(
            type: type, source: source, options: options, attributes: mount.options.set.subtracting(.readOnly))
        if mount.options.copiesUp, type == "tmpfs" { try copyUp(from: target, to: tree.fd) }
        var restrictions = mount.options
        if mount.isSealedLater { restrictions.set.subtract(.readOnly) }
        try restrictions.restrict(tree)
        try tree.attach(on: target)
        return tree
    }

    /// Opens where a mount goes, and makes it if it is missing. The plan has checked the destination's text; here it is
    /// seen where the image's links lead.
    private borrowing func openTarget(_ mount: MountPlan, isDirectory: Bool = true) throws(SysError) -> OwnedFD {
        let path = mount.destination
        let target = isDirectory ? try makeDirectoriesInRoot(root, path) : try makeFileInRoot(root, path)
        if !mount.mayCoverProc, try isOnProc(target) {
            throw SysError("mount", path, .invalidArgument, hint: MountPlan.coversProc)
        }
        guard case .fileSystem(let type, _) = mount.kind, type == "proc" || type == "sysfs" else { return target }
        // They must be what they are called, or everything that is hidden below them would be elsewhere.
        do throws(SysError) { return try openInRootWithoutLinks(root, path, O_PATH | O_DIRECTORY) } catch {
            throw SysError(
                error.operation, path, error.errno,
                hint: "filesystem \"" + type + "\" must be mounted on ordinary directory")
        }
    }

    /// Whether it is on the container's own procfs; the host's, bound elsewhere, is just a file system.
    private borrowing func isOnProc(_ target: borrowing OwnedFD) throws(SysError) -> Bool {
        guard try fileSystemType(target) == procMagic,
            let proc = try? openInRootWithoutLinks(root, "/proc", O_PATH | O_DIRECTORY)
        else { return false }
        return try status(proc).st_dev == status(target).st_dev
    }

    /// v2: the container's own view of the one hierarchy. v1: a tmpfs with a directory for each hierarchy.
    private borrowing func mountCgroups(_ mount: MountPlan) throws(SysError) {
        let target = try openTarget(mount)
        let cgroup = cgroup.isMissing ? try ContainerCgroup.ofThisProcess() : cgroup
        if cgroup.layout.isUnifiedOnly, let unified = cgroup.layout.unified {
            let tree = try cgroupTree(cgroup, unified, type: "cgroup2", options: [], mount)
            return try tree.attach(on: target)
        }
        let attributes = mount.options.set.subtracting(.readOnly)
        let base = try MountTree.new(type: "tmpfs", source: "tmpfs", options: ["mode=755"], attributes: attributes)
        try base.attach(on: target)
        for hierarchy in cgroup.layout.hierarchies {
            guard case .v1(let controllers) = hierarchy.kind else { continue }
            let name = hierarchy.mountPoint.lastComponent
            let number = base.fd.raw
            try sys("mkdirat", name) { mkdirat(number, name, 0o755) }
            let directory = try openAt(base.fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW)
            let tree = try cgroupTree(cgroup, hierarchy, type: "cgroup", options: controllers, mount)
            try tree.attach(on: directory)
            for controller in controllers where controller != name && controllers.count > 1 {
                try sys("symlinkat", controller) { symlinkat(name, number, controller) }
            }
        }
        if mount.options.set.contains(.readOnly) { try base.change(set: .readOnly) }
    }

    private borrowing func cgroupTree(
        _ cgroup: ContainerCgroup, _ hierarchy: CgroupHierarchy, type: String, options: [String], _ mount: MountPlan
    ) throws(SysError) -> MountTree {
        let tree: MountTree
        if plan.namespaces.isSeparate(.cgroup) || type == "cgroup2",
            let fresh = try? MountTree.new(type: type, source: "cgroup", options: options)
        {
            tree = fresh
        } else {
            tree = try MountTree.clone(path: cgroup.directory(in: hierarchy), recursive: false)
        }
        try mount.options.restrict(tree)
        return tree
    }
}

extension MountPlan {
    /// How an error about it begins.
    var failure: String { "error mounting \"\(sourceName)\" to rootfs at \"\(destination)\"" }

    /// What the mount is of, for error texts.
    var sourceName: String {
        switch kind {
        case .bind(let source, _): source.string
        case .fileSystem(_, let source): source
        case .cgroup: "cgroup"
        case .link(let target): target
        }
    }
}

extension MountOptions {
    /// Makes of a copy of a mount what the options say.
    func restrictCopy(_ tree: borrowing MountTree, in plan: ContainerPlan) throws(SysError) {
        // The copy is a peer of the host's mount, which is what `shared` asks for; else it gets what all of the
        // container's mounts have.
        if self.propagation != .shared { try tree.change(propagation: plan.hostPropagation, recursive: true) }
        if hasAttributes { try replaceAttributes(of: tree, keepingLocked: plan.namespaces.hasOtherUsers) }
        if !recursiveSet.isEmpty || !recursiveClear.isEmpty {
            try tree.change(set: recursiveSet, clear: recursiveClear, recursive: true)
        }
        if let propagation { try tree.change(propagation: propagation, recursive: isPropagationRecursive) }
    }

    /// One option about a mount's attributes decides about all of them, as in mount(2) with MS_REMOUNT and MS_BIND; only
    /// those of access times stay if none is about these. For another user namespace the attributes that restrict are
    /// locked: they stay, and it is an error if an option wants one away.
    private func replaceAttributes(of tree: borrowing MountTree, keepingLocked: Bool) throws(SysError) {
        let lockable: MountAttributes = [.readOnly, .noSuid, .noDev, .noExec]
        var times: MountAttributes = []
        if clear.contains(.accessTimeMask) || set.contains(.noDirectoryAccessTime) {
            times = .accessTimeMask.union(.noDirectoryAccessTime)
        }
        if !keepingLocked {
            do throws(SysError) {
                return try tree.change(set: set, clear: lockable.union(.noSymlinkFollow).union(times))
            } catch { if error.errno != .notPermitted { throw error } }
        }
        let present = try attributes(of: tree.fd)
        let hasOtherTimes = !times.isEmpty && present.intersection(times) != set.intersection(times)
        if hasOtherTimes || !present.isDisjoint(with: clear.intersection(lockable)) {
            throw SysError("mount_setattr", "", .notPermitted, hint: "flags of the source's mount are locked")
        }
        try tree.change(set: set, clear: .noSymlinkFollow)
    }

    /// Applies everything that limits a mount, while it is still detached.
    func restrict(_ tree: borrowing MountTree) throws(SysError) {
        if !recursiveSet.isEmpty || !recursiveClear.isEmpty {
            try tree.change(set: recursiveSet, clear: recursiveClear, recursive: true)
        }
        if !set.isEmpty || !clear.isEmpty { try tree.change(set: set, clear: clear) }
        if let propagation { try tree.change(propagation: propagation, recursive: isPropagationRecursive) }
    }
}
