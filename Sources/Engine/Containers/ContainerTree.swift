// SPDX-License-Identifier: Apache-2.0
import Archive
import CLinux
import LinuxSystem
import Threads

/// A container's file system with what is mounted in it, for looking up and copying paths; nothing of the container's is
/// run for that, and no path of its is ever resolved outside of it.
///
/// Of a running container it is the root of its mount namespace. Else the layers and volumes are mounted in a namespace
/// of its own, which goes when the last reference does.
final class ContainerTree: Sendable {
    let root: OwnedFD
    /// Keeps the mounts.
    private let namespace: OwnedFD
    /// Keeps others from using the layers meanwhile; for writing only.
    private let hold: OperationQueue.Hold?
    /// A mount is missing, since the tree has no place for it and could not be given one.
    let isIncomplete: Bool

    private init(
        root: consuming OwnedFD, namespace: consuming OwnedFD, hold: OperationQueue.Hold?, isIncomplete: Bool
    ) {
        self.root = root
        self.namespace = namespace
        self.hold = hold
        self.isIncomplete = isIncomplete
    }

    /// The tree that the process `pid` runs in. The caller makes sure afterwards that the process is still the one it
    /// means.
    ///
    /// - Parameter rootOnly: leaves out what is mounted in the root file system.
    static func running(pid: UInt32, rootOnly: Bool = false) async throws -> ContainerTree {
        try await runOnThread {  // the thread changes its namespace, and ends
            let namespace = try open(FilePath("/proc/\(pid)/ns/mnt"), O_RDONLY)
            try unshareDirectories()
            try joinNamespace(namespace, .mount)
            // Not /proc/PID/root: the process may have changed its root.
            let root = try open(FilePath("/"), O_PATH | O_DIRECTORY)
            if rootOnly {
                let alone = try MountTree.clone(of: root)
                return ContainerTree(
                    root: try alone.fd.duplicate(), namespace: namespace, hold: nil, isIncomplete: false)
            }
            return ContainerTree(root: root, namespace: namespace, hold: nil, isIncomplete: false)
        }
    }

    /// What a stopped container is made of.
    struct Parts: Sendable {
        var rootfs: RootMount
        var isReadOnly: Bool
        var mounts: [MountPoint]
        /// A directory of the host to mount at; only the new namespace sees that.
        var place: FilePath
    }

    /// The layers are only read, and may be in use.
    static func reading(_ parts: Parts) async throws -> ContainerTree {
        try await runOnThread {
            try assemble(parts, hold: nil) { () throws(SysError) in
                let stack = try? LayerStack(
                    type: parts.rootfs.type, source: parts.rootfs.source, options: parts.rootfs.options)
                let lowers = stack?.directories ?? [FilePath(parts.rootfs.source)]
                if let tree = try LayerStack(upper: nil, lowers: lowers).mountTree() {
                    try tree.attach(on: try open(parts.place, O_PATH))
                }
            }
        }
    }

    /// Nobody else uses the layers as long as `hold` is held.
    static func writing(_ parts: Parts, _ hold: OperationQueue.Hold) async throws -> ContainerTree {
        try await runOnThread { try assemble(parts, hold: hold) { () throws(SysError) in try mountLayers(parts) } }
    }

    /// For writing, of a container that nobody knows yet.
    static func unused(_ parts: Parts) async throws -> ContainerTree {
        try await runOnThread { try assemble(parts, hold: nil) { () throws(SysError) in try mountLayers(parts) } }
    }

    private static func mountLayers(_ parts: Parts) throws(SysError) {
        let rootfs = parts.rootfs
        try mount(rootfs.source, on: parts.place, type: rootfs.type, options: rootfs.options)
    }

    /// Mounts in a new namespace, on the calling thread.
    private static func assemble(
        _ parts: Parts, hold: OperationQueue.Hold?, _ mountRoot: () throws(SysError) -> Void
    ) throws(SysError) -> ContainerTree {
        try unshareNamespaces(.mount)
        try changeMount(try open(FilePath("/"), O_PATH), propagation: .isPrivate, recursive: true)
        // Before the root covers the place where some of them are.
        var sources: [MountSource] = []
        for mount in parts.mounts.sorted(by: { $0.destination.utf8.count < $1.destination.utf8.count }) {
            if let source = try MountSource(mount) { sources.append(source) }
        }
        try mountRoot()
        let root = try open(parts.place, O_PATH | O_DIRECTORY)
        var isIncomplete = false
        for source in sources {
            isIncomplete = try !attach(source, in: root, makesPlace: hold != nil) || isIncomplete
        }
        if hold != nil, parts.isReadOnly { try changeMount(root, set: .readOnly) }
        let namespace = try open(FilePath("/proc/thread-self/ns/mnt"), O_RDONLY)
        return ContainerTree(root: root, namespace: namespace, hold: hold, isIncomplete: isIncomplete)
    }

    /// False if there is no place for it.
    private static func attach(
        _ source: MountSource, in root: borrowing OwnedFD, makesPlace: Bool
    ) throws(SysError) -> Bool {
        let mount = source.mount
        let target: OwnedFD
        do throws(SysError) {
            target = try openInRoot(root, mount.destination, O_PATH)
        } catch {
            guard error.errno == .noSuchFile else { throw error }
            guard makesPlace else { return false }
            target =
                try isDirectory(status(source.file))
                ? makeDirectoriesInRoot(root, mount.destination) : makeFileInRoot(root, mount.destination)
        }
        let tree = try MountTree.clone(of: source.file, recursive: !mount.nonRecursive)
        if !mount.writable { try tree.change(set: .readOnly, recursive: true) }
        try tree.attach(on: target)
        return true
    }
}

/// What is to be mounted, open; a tmpfs has nothing to open, and what is gone on the host is not mounted.
private final class MountSource {
    let mount: MountPoint
    let file: OwnedFD

    init?(_ mount: MountPoint) throws(SysError) {
        guard mount.kind != .tmpfs else { return nil }
        do throws(SysError) { file = try open(FilePath(mount.source), O_PATH) } catch {
            guard error.errno == .noSuchFile else { throw error }
            return nil
        }
        self.mount = mount
    }
}
