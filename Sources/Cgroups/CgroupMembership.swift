// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem

extension ContainerCgroup {
    /// Gives version 2's cgroup to a user who may then make cgroups below it (kernel: admin-guide/cgroup-v2, "Model of
    /// Delegation"). The limits stay ours.
    package func delegate(to uid: UInt32) throws(SysError) {
        guard layout.isUnifiedOnly, let unified = layout.unified else { return }
        let top = directory(in: unified)
        let listed = (try? readText(FilePath("/sys/kernel/cgroup/delegate"))) ?? "cgroup.procs\ncgroup.subtree_control"
        for name in [""] + listed.split(separator: "\n").map({ String($0) }) {
            let path = name.isEmpty ? top.string : (top / name).string
            if lchown(path, uid, gid_t.max) != 0, Errno.current != .noSuchFile {
                throw SysError("chown", path, .current)
            }
        }
    }

    /// The unified cgroup that a process of the container is in, opened; nil if that is not below the container's own.
    package func unifiedDirectory(of pid: Int32) throws(SysError) -> OwnedFD? {
        guard let unified = layout.unified else { return nil }
        let lines = try readText(FilePath("/proc/\(pid)/cgroup")).split(separator: "\n")
        guard let found = lines.first(where: { $0.hasPrefix("0::" + fullPath(in: unified) + "/") }) else { return nil }
        return try open(unified.mountPoint / String(found.dropFirst(3)), O_RDONLY | O_DIRECTORY)
    }
}

/// The open doors of a container's cgroups: a new process starts inside v2's (`unified`, for clone3) and goes into v1's
/// by itself.
///
/// A process that writes `0` to v1's `tasks` moves only its own one thread, for which the kernel takes no lock over all
/// processes; moving another process waits for an RCU grace period, about 10 ms.
@usableFromInline package struct CgroupDoors: ~Copyable {
    private var unified: CInt = -1  // owned by this value, as are these: an Array cannot hold OwnedFD
    private var tasks: [CInt] = []

    /// A place below the container's own, in the hierarchy with this controller; the empty name stands for all.
    package struct Subpath: Sendable, Equatable {
        package var controller: String
        package var path: String

        package init(controller: String, path: String) {
            self.controller = controller
            self.path = path
        }
    }

    package init(_ cgroup: ContainerCgroup, below subpaths: [Subpath] = []) throws(SysError) {
        for subpath in subpaths where !subpath.controller.isEmpty {
            guard cgroup.layout.hierarchy(with: subpath.controller) == nil else { continue }
            throw SysError("find", "unknown controller " + subpath.controller, .noSuchFile)
        }
        for hierarchy in cgroup.layout.hierarchies {
            let below = subpaths.first { $0.controller.isEmpty || hierarchy.has($0.controller) }?.path ?? ""
            let directory = FilePath((cgroup.directory(in: hierarchy) / ("./" + below)).string).normalized
            if hierarchy.kind == .unified {
                unified = try open(directory, O_RDONLY | O_DIRECTORY).relinquish()
            } else {
                tasks.append(try open(directory / "tasks", O_WRONLY).relinquish())
            }
        }
    }

    deinit {
        if unified >= 0 { close(unified) }
        for number in tasks { close(number) }
    }

    /// The descriptor for clone3, valid as long as this value.
    package var unifiedNumber: Int32? { unified >= 0 ? unified : nil }

    /// Moves the calling process, which must have one thread, into every v1 cgroup.
    package borrowing func enter() throws(SysError) {
        for number in tasks { try sys("write", "tasks") { write(number, "0", 1) } }
    }
}
