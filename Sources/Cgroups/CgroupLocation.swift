// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// Where in each hierarchy a container is (config-linux.md, "Cgroups Path"): an absolute `cgroupsPath` begins at the mount
/// point, another one, or the id if there is none, at the cgroup of who makes the container.
package struct CgroupLocation: Sendable, Equatable {
    /// With a leading slash, and without `..`.
    package var path: String
    /// What lies before the path, by the hierarchy's mount point; nothing where that is missing.
    package var bases: [Base] = []

    package struct Base: Sendable, Equatable {
        package var mountPoint: String
        package var path: String

        package init(mountPoint: String, path: String) {
            self.mountPoint = mountPoint
            self.path = path
        }
    }

    package init(path: String, bases: [Base] = []) {
        self.path = path
        self.bases = bases
    }

    /// - Parameters:
    ///   - cgroupsPath: the config's; empty if it has none.
    ///   - id: the container's.
    ///   - layout: the host's hierarchies.
    ///   - membership: the text of /proc/self/cgroup (cgroups(7)); only asked for if it is needed.
    package init(
        cgroupsPath: String, id: String, layout: CgroupLayout, membership: () throws(SysError) -> String
    ) throws(SysError) {
        path = FilePath("/" + (cgroupsPath.isEmpty ? id : cgroupsPath)).normalized.string
        if FilePath(cgroupsPath).isAbsolute { return }
        bases = CgroupLocation(own: try membership(), layout: layout).bases
        if !layout.isUnifiedOnly { return }
        // Version 2 has no processes in cgroups whose children have controllers: not below its maker, but beside it.
        bases = bases.map { Base(mountPoint: $0.mountPoint, path: FilePath($0.path).parent.string) }
            .filter { $0.path != "/" }
    }

    /// Where the process itself is.
    ///
    /// - Parameter membership: the text of its /proc/PID/cgroup.
    package init(own membership: String, layout: CgroupLayout) {
        path = "/"
        for place in CgroupFigures(layout: layout, membership: membership).places {
            let mountPoint = place.hierarchy.mountPoint.string
            let base = FilePath("/" + place.directory.string.dropFirst(mountPoint.utf8.count)).normalized
            // In a container that sees no more than its own cgroups the mount point is the own one.
            if base.components.isEmpty || !exists(place.hierarchy.mountPoint / base.string) { continue }
            bases.append(Base(mountPoint: mountPoint, path: base.string))
        }
    }
}

extension CgroupLayout {
    /// The hierarchies as they are for a container at this location.
    fileprivate func based(on bases: [CgroupLocation.Base]) -> CgroupLayout {
        var layout = self
        for index in layout.hierarchies.indices {
            for base in bases where base.mountPoint == layout.hierarchies[index].mountPoint.string {
                layout.hierarchies[index].base = base.path
            }
        }
        return layout
    }
}

extension ContainerCgroup {
    package init(layout: CgroupLayout, location: CgroupLocation) {
        self.init(layout: layout.based(on: location.bases), path: location.path)
    }

    /// What has to be remembered to find it again.
    package var location: CgroupLocation {
        var bases: [CgroupLocation.Base] = []
        for hierarchy in layout.hierarchies where !hierarchy.base.isEmpty {
            bases.append(.init(mountPoint: hierarchy.mountPoint.string, path: hierarchy.base))
        }
        return CgroupLocation(path: path, bases: bases)
    }

    /// A container without cgroups: of a user who may not make any.
    package static var missing: ContainerCgroup { ContainerCgroup(layout: CgroupLayout(hierarchies: []), path: "/") }

    /// The cgroups that this process is in.
    package static func ofThisProcess() throws(SysError) -> ContainerCgroup {
        let layout = try CgroupLayout.detect()
        let membership = try readText(FilePath("/proc/self/cgroup"))
        return ContainerCgroup(layout: layout, location: CgroupLocation(own: membership, layout: layout))
    }

    package var isMissing: Bool { layout.hierarchies.isEmpty }
}
