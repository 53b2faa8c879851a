// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
import LinuxSystem
import OCISpec

extension ContainerPlan {
    /// The container's own settings for criu, or the host's for a runtime; nil if there are none.
    var criuConfig: String? {
        if let own = spec.annotation("org.criu.config") { return own.isEmpty ? nil : own }
        return exists(FilePath("/etc/criu/runc.conf")) ? "/etc/criu/runc.conf" : nil
    }

    /// The mounts that are not the container's own, and what lies behind each of them on the host.
    ///
    /// - Parameter empty: a directory to stand for those that hide something.
    func externalMounts(_ cgroup: ContainerCgroup, empty: FilePath) -> [(destination: String, source: FilePath)] {
        var found: [(destination: String, source: FilePath)] = []
        for mount in mounts {
            switch mount.kind {
            case .bind(let source, _): found.append((resolved(mount.destination), source))
            case .cgroup:
                for hierarchy in cgroup.layout.hierarchies where hierarchy.kind != .unified {
                    let name = mount.destination + "/" + hierarchy.mountPoint.lastComponent
                    found.append((name, cgroup.directory(in: hierarchy)))
                }
            case .fileSystem, .link: break
            }
        }
        for path in spec.linux.maskedPaths {
            let isKernels = path.hasPrefix("/proc/") || path.hasPrefix("/sys/")
            let info = try? status(isKernels ? FilePath(path) : FilePath(rootfs.string + path))
            found.append((path, info.map { isDirectory($0) } == true ? empty : FilePath("/dev/null")))
        }
        return found
    }

    /// Where a destination is that the image's links lead elsewhere; as it is given, where the root does not tell.
    private func resolved(_ destination: String) -> String {
        guard let root = try? open(rootfs, O_PATH | O_DIRECTORY),
            let place = try? openInRoot(root, destination, O_PATH),
            let base = try? readLink(root.procPath).string, let path = try? readLink(place.procPath).string,
            path.hasPrefix(base + "/")
        else { return destination }
        return String(path.dropFirst(base.utf8.count))
    }

    /// Namespaces that the container was put into and that criu takes as they are: they are there when it is restored. The
    /// name is that by which dump and restore agree on them.
    var externalNamespaces: [(type: String, path: FilePath, name: String)] {
        namespaces.joined.compactMap { namespace in
            switch namespace.type {
            case .network: ("net", namespace.path, "extRootNetNS")
            case .pid: ("pid", namespace.path, "extRootPidNS")
            default: nil
            }
        }
    }

    /// Those that criu puts the restored processes into.
    var joinedByCriu: [(type: String, path: FilePath)] {
        namespaces.joined.compactMap { namespace in
            switch namespace.type {
            case .ipc: ("ipc", namespace.path)
            case .uts: ("uts", namespace.path)
            case .time: ("time", namespace.path)
            case .mount: ("mnt", namespace.path)
            case .user: ("user", namespace.path)
            default: nil
            }
        }
    }
}

/// What standard streams were connected to, in a file beside criu's: as `inherit-fd` of criu names it, or empty for what
/// is the container's own.
let descriptorsFile = "descriptors.json"
