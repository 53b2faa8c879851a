// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
import LinuxSystem
import OCISpec

/// One run of criu(8), which saves the processes of a container to files and makes them again. It is told what lies
/// outside of the container: mounts, namespaces and descriptors of the host.
struct CriuCall {
    var arguments: [String]
    /// Where criu writes what it does.
    let log: FilePath

    /// - Parameters:
    ///   - action: `dump`, `pre-dump` or `restore`; its log is named after it.
    ///   - config: a file of settings that come before all others; nil for the host's.
    init(_ action: String, images: FilePath, work: FilePath, root: FilePath, config: String?) {
        let name = (action == "restore" ? "restore" : "dump") + ".log"
        log = work / name
        arguments = [
            action, "--images-dir", images.string, "--work-dir", work.string, "--log-file", name, "-v4", "--root",
            root.string,
        ]
        if let config { arguments += ["--config", config] }
    }

    /// Runs it with our standard streams, and the descriptors that are not close-on-exec.
    func run() throws(RuntimeError) {
        let program = try findProgram("criu", path: Environment.value("PATH"))
        let end = try step("run criu") { () throws(SysError) in
            var spawn = Spawn(FilePath(program), arguments, environment: Environment.current())
            spawn.keepsDescriptors = true
            return try waitForEnd(ofChild: try spawn.start(stdin: 0, stdout: 1, stderr: 2))
        }
        if end.code == 0 { return }
        throw RuntimeError("criu failed: " + end.text + "; log file: " + log.string)
    }
}

extension ContainerPlan {
    /// The container's own settings for criu, or the host's for a runtime; nil if there are none.
    var criuConfig: String? {
        if let own = spec.annotation("org.criu.config") { return own }
        return exists(FilePath("/etc/criu/runc.conf")) ? "/etc/criu/runc.conf" : nil
    }

    /// The mounts that are not the container's own, and what lies behind each of them on the host.
    ///
    /// - Parameter empty: a directory to stand for those that hide something.
    func externalMounts(_ cgroup: ContainerCgroup, empty: FilePath) -> [(destination: String, source: FilePath)] {
        var found: [(destination: String, source: FilePath)] = []
        for mount in mounts {
            switch mount.kind {
            case .bind(let source, _): found.append((mount.destination, source))
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

    /// A network namespace that the container was put into: it is there when the container is restored.
    var joinedNetwork: FilePath? { namespaces.joined.first { $0.type == .network }?.path }

    /// Criu gives a terminal back only to a program that is linked with it.
    func checkCanBeCheckpointed() throws(RuntimeError) {
        if process.hasTerminal {
            throw RuntimeError("a container with a terminal cannot be checkpointed by this runtime")
        }
    }
}

/// The name by which dump and restore agree on the network namespace.
let externalNetwork = "extRootNetNS"

/// What standard streams were connected to, in a file beside criu's: as `inherit-fd` of criu names it, or empty for what
/// is the container's own.
let descriptorsFile = "descriptors.json"
