// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem
package import OCISpec

/// One mount to make in the root file system.
package struct MountPlan: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// A copy of what the host has at `source`.
        case bind(source: FilePath, recursive: Bool)
        /// A new file system.
        case fileSystem(type: String, source: String)
        /// The container's cgroups, in the host's layout.
        case cgroup
        /// A symbolic link, no mount at all.
        case link(target: String)
    }

    package var kind: Kind
    /// As the container will name it.
    package var destination: String
    package var options: MountOptions
    /// How owners are shown, for an id-mapped mount; without lists as the container's own user namespace does.
    package var idMapping: IDMapping?

    /// Where the source is in the container's root, if that is only there once other mounts are made.
    package var innerSource: String?

    package struct IDMapping: Sendable, Equatable {
        package var uids: [RuntimeLinux.IDMapping]
        package var gids: [RuntimeLinux.IDMapping]
    }

    /// A destination may be given as its path on the host, below `rootfs`, too.
    package init(_ mount: RuntimeMount, bundle: FilePath, rootfs: FilePath? = nil) throws(RuntimeError) {
        options = try MountOptions(mount.options)
        let path = FilePath("/" + mount.destination).normalized
        destination = (rootfs.flatMap { path.string(below: $0) }) ?? path.string
        if options.isBind || mount.type == "bind" {
            let source = FilePath(mount.source)
            if mount.source.isEmpty { throw RuntimeError("bind mount " + mount.destination + ": no source") }
            kind = .bind(source: source.isAbsolute ? source : bundle / mount.source, recursive: options.isRecursiveBind)
            if options.copiesLink, case .bind(let path, _) = kind, let target = try? readLink(path) {
                kind = .link(target: target.string)
            }
        } else if mount.type == "cgroup" || mount.type == "cgroup2" {
            kind = .cgroup
        } else {
            if mount.type.isEmpty {
                throw RuntimeError("invalid mount " + mount.destination + ": no type, and no bind mount")
            }
            kind = .fileSystem(type: mount.type, source: mount.source.isEmpty ? mount.type : mount.source)
        }
        if options.isIDMapped || !mount.uidMappings.isEmpty || !mount.gidMappings.isEmpty {
            idMapping = try idMapping(of: mount)
        }
        try checkProcDestination()
    }

    /// Whether a mount that is made before this one covers its source, or has made something below that.
    package mutating func findInnerSource(in rootfs: FilePath, after others: [MountPlan]) {
        guard case .bind(let source, _) = kind, let inside = source.string(below: rootfs) else {
            return
        }
        let place = FilePath(inside)
        let isCovered = others.contains { other in
            let target = FilePath(other.destination)
            return place.string(below: target) != nil || target.string(below: place) != nil
        }
        if isCovered { innerSource = inside }
    }

    private func idMapping(of mount: RuntimeMount) throws(RuntimeError) -> IDMapping {
        func invalid(_ why: String) -> RuntimeError { RuntimeError("invalid mount " + mount.destination + ": " + why) }
        guard case .bind = kind else { throw invalid("id-mapped mounts are only supported for bind-mounts") }
        if mount.uidMappings.isEmpty != mount.gidMappings.isEmpty {
            throw invalid("id-mapped mounts must have both uid and gid mappings specified")
        }
        return IDMapping(uids: mount.uidMappings, gids: mount.gidMappings)
    }

    /// Below /proc only a few files may be replaced: another mount there would hide the paths that confinement is
    /// applied to.
    private func checkProcDestination() throws(RuntimeError) {
        if destination == "/proc" || destination.hasPrefix("/proc/"), !mayCoverProc {
            throw RuntimeError("\"" + destination + "\" " + MountPlan.coversProc)
        }
    }

    /// Whether the mount may lie on the container's procfs.
    var mayCoverProc: Bool {
        switch kind {
        case .fileSystem(type: "proc", _): destination == "/proc"
        case .bind(let source, _):
            destination == "/proc" ? source.string == "/proc" : allowedBelowProc.contains(destination)
        default: false
        }
    }

    /// Why a mount that may not is refused.
    static let coversProc = "cannot be mounted because it is inside /proc"

    package var isDev: Bool { destination == "/dev" }

    /// A read-only /dev must be filled before it is made so.
    package var isSealedLater: Bool {
        guard isDev, case .fileSystem = kind else { return false }
        return options.set.contains(.readOnly)
    }
}

extension FilePath {
    /// The path as seen from `root`, with a leading slash, if it is that or below it by its text alone.
    fileprivate func string(below root: FilePath) -> String? {
        let (own, others) = (normalized.components, root.normalized.components)
        guard !others.isEmpty, own.count >= others.count, own[..<others.count] == others[...] else { return nil }
        return "/" + own[others.count...].joined(separator: "/")
    }
}

private let allowedBelowProc = [
    "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime", "/proc/loadavg",
    "/proc/slabinfo", "/proc/net/dev", "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled",
]
