// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem

/// One mounted cgroup hierarchy of the host.
package struct CgroupHierarchy: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// A v1 hierarchy with these controllers; a named one has the single entry `name=x`.
        case v1(controllers: [String])
        case unified
    }

    package var kind: Kind
    package var mountPoint: FilePath
    /// Where a container's path in it begins, from the mount point; see `CgroupLocation`.
    package var base = ""

    package init(kind: Kind, mountPoint: FilePath) {
        self.kind = kind
        self.mountPoint = mountPoint
    }

    package func has(_ controller: String) -> Bool {
        guard case .v1(let controllers) = kind else { return false }
        return controllers.contains(controller)
    }
}

/// Which hierarchies this host has: v1, v2, or both (hybrid), decided by what is mounted.
package struct CgroupLayout: Sendable, Equatable {
    package var hierarchies: [CgroupHierarchy]

    package init(hierarchies: [CgroupHierarchy]) { self.hierarchies = hierarchies }

    /// The host's, from statfs(2) and /proc/self/mountinfo.
    package static func detect() throws(SysError) -> CgroupLayout {
        let usual = FilePath("/sys/fs/cgroup")
        if let directory = try? open(usual, O_PATH), try fileSystemType(directory) == 0x6367_7270 {
            return CgroupLayout(hierarchies: [CgroupHierarchy(kind: .unified, mountPoint: usual)])
        }
        return CgroupLayout(mountInfo: try readFile(FilePath("/proc/self/mountinfo"), limit: 64 << 20))
    }

    /// Reads mountinfo (proc(5)); of several mounts of one hierarchy the first counts.
    package init(mountInfo: [UInt8]) {
        hierarchies = []
        for line in mountInfo.split(separator: UInt8(ascii: "\n")) {
            guard let found = CgroupLayout.hierarchy(line), !hierarchies.contains(where: { $0.kind == found.kind })
            else { continue }
            hierarchies.append(found)
        }
    }

    private static func hierarchy(_ line: ArraySlice<UInt8>) -> CgroupHierarchy? {
        let fields = line.split(separator: UInt8(ascii: " "))
        guard let separator = fields.firstIndex(where: { $0.elementsEqual("-".utf8) }), fields.count > separator + 3,
            separator > 5
        else { return nil }
        let mountPoint = FilePath(String(decoding: fields[4], as: UTF8.self))
        let type = fields[separator + 1]
        if type.elementsEqual("cgroup2".utf8) { return CgroupHierarchy(kind: .unified, mountPoint: mountPoint) }
        guard type.elementsEqual("cgroup".utf8) else { return nil }
        var controllers: [String] = []
        for option in fields[separator + 3].split(separator: UInt8(ascii: ",")) {
            let name = String(decoding: option, as: UTF8.self)
            if knownControllers.contains(name) || name.hasPrefix("name=") { controllers.append(name) }
        }
        return controllers.isEmpty ? nil : CgroupHierarchy(kind: .v1(controllers: controllers), mountPoint: mountPoint)
    }

    /// Whether limits are v2's, because there is nothing but the unified hierarchy.
    package var isUnifiedOnly: Bool { hierarchies.count == 1 && hierarchies[0].kind == .unified }

    package var unified: CgroupHierarchy? { hierarchies.first { $0.kind == .unified } }

    /// The v1 hierarchy with this controller.
    package func hierarchy(with controller: String) -> CgroupHierarchy? {
        hierarchies.first { $0.has(controller) }
    }
}

private let knownControllers = [
    "cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "net_cls", "net_prio", "blkio", "perf_event", "hugetlb",
    "pids", "rdma", "misc",
]
