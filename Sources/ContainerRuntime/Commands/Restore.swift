// SPDX-License-Identifier: Apache-2.0
import CLinux
import Flags
import JSON
import LinuxSystem
import OCISpec

var restoreCommand: Command {
    Command(
        name: "restore", help: "make a container of a checkpoint", usage: "CONTAINER-ID",
        flags: launchFlags + criuFlags + [
            .bool("detach", short: "d", "detach from the container's process"),
            .bool("no-subreaper", "disable the use of the subreaper"),
            .string("lsm-profile", "specify an LSM profile to be used during restore"),
            .string("lsm-mount-context", "specify an LSM mount context to be used during restore"),
        ], arity: .exactly(1), failurePrefix: "runc restore failed: "
    ) { invocation throws(RuntimeError) in
        let values = invocation.values
        let images = try imagePath(values)
        let work = try givenWorkPath(values)
        let launcher = try makeLauncher(invocation)
        try launcher.plan.checkCanBeCheckpointed()
        let isDetached = values.bool("detach")
        if !isDetached, !values.bool("no-subreaper") {
            try step("") { () throws(SysError) in try becomeSubreaper() }
        }
        let signals = try step("") { () throws(SysError) in try SignalDescriptor(nonBlocking: true) }
        let child = try launcher.claiming { (launcher) throws(RuntimeError) in
            try RestoreCall(launcher: launcher, values: values, images: images, work: work).run()
        }
        let container = try Container(invocation.id, in: invocation.store, cgroup: launcher.cgroup)
        runFinalHooks(
            container.record.poststart, named: "poststart", state: container.state(.running), invocation.log)
        if isDetached { return 0 }
        let code = try Foreground(child, signals: signals).wait()
        try destroy(container, invocation.log)
        return code
    }
}

/// `criu restore` into a cgroup that is there already. The restored process is a child of this program.
private struct RestoreCall {
    let launcher: Launcher
    let values: FlagValues
    let images: FilePath
    let work: FilePath?

    private var directory: FilePath { launcher.store.directory(launcher.id) }
    private var plan: ContainerPlan { launcher.plan }

    func run() throws(RuntimeError) -> LaunchedContainer {
        _ = try launcher.makeFilter()  // for the processes that `exec` adds; criu has that of the others
        try launcher.applyLimits()
        let root = try makeRoot()
        var call = CriuCall(
            "restore", images: images, work: try makeWorkDirectory(work, directory), root: root,
            config: plan.criuConfig)
        let pidFile = directory / "criu.pid"
        call.arguments += ["--restore-detached", "--restore-sibling", "--pidfile", pidFile.string]
        call.arguments += try criuArguments(values) + labels() + externals() + standardStreams()
        try call.run()
        return try record(pidFile)
    }

    private func record(_ pidFile: FilePath) throws(RuntimeError) -> LaunchedContainer {
        let text = try step("read the restored process's pid") { () throws(SysError) in try readText(pidFile) }
        guard let pid = Int32(text) else { throw RuntimeError("criu wrote no pid but \"" + text + "\"") }
        let process = try step("") { () throws(SysError) in try openProcess(pid) }
        let sockets = try step("") { () throws(SysError) in try UnixSocket.pair() }
        let child = LaunchedContainer(
            pid: pid, process: process, channel: LauncherChannel(socket: sockets.first), agent: nil)
        try launcher.record(child)
        return child
    }

    /// Criu wants a mount point. It is seen by this program alone, and by nobody any more when that ends.
    private func makeRoot() throws(RuntimeError) -> FilePath {
        let root = directory / "criu-root"
        try step("make criu's root") { () throws(SysError) in
            try unshareNamespaces(.mount)
            try changeMount(try open(FilePath("/"), O_PATH | O_DIRECTORY), propagation: .isPrivate, recursive: true)
            try makeDirectory(root, mode: 0o700)
            try makeDirectory(empty, mode: 0o755)
            try MountTree.clone(path: plan.rootfs, recursive: true).attach(on: try open(root, O_PATH | O_DIRECTORY))
        }
        return root
    }

    private var empty: FilePath { directory / "empty" }

    private func labels() -> [String] {
        ["lsm-profile", "lsm-mount-context"].flatMap { name in
            values.optional(name).map { ["--" + name, $0] } ?? []
        }
    }

    private func externals() throws(RuntimeError) -> [String] {
        var arguments: [String] = []
        let root = try step("") { () throws(SysError) in try open(plan.rootfs, O_PATH | O_DIRECTORY) }
        for mount in plan.externalMounts(launcher.cgroup, empty: empty) {
            arguments += ["--external", "mnt[" + mount.destination + "]:" + mount.source.string]
        }
        for case .bind(let source, _) in plan.mounts.map({ $0.kind }) where !exists(source) {
            throw RuntimeError("restore: " + source.string + ", which the container had bound, is not there any more")
        }
        // A new root may lack the places of mounts.
        for mount in plan.mounts {
            if case .bind(let source, _) = mount.kind, let info = try? status(source), !isDirectory(info) {
                _ = try? makeFileInRoot(root, mount.destination)
            } else {
                _ = try? makeDirectoriesInRoot(root, mount.destination)
            }
        }
        if let network = plan.joinedNetwork {
            let file = try step("") { () throws(SysError) in try open(network, O_RDONLY) }
            arguments += ["--inherit-fd", "fd[\(try inheritable(file))]:" + externalNetwork]
        }
        return arguments
    }

    /// Ours take the place of those that the container had from outside.
    private func standardStreams() throws(RuntimeError) -> [String] {
        let file = images / descriptorsFile
        let bytes = try step("read the checkpoint") { () throws(SysError) in try readFile(file, limit: 65536) }
        guard let names = try? JSONValue(parsing: bytes).strings else {
            throw RuntimeError(file.string + " is damaged")
        }
        var arguments: [String] = []
        for (number, name) in names.prefix(3).enumerated() where !name.isEmpty {
            if names[..<number].contains(name) { continue }  // both are one pipe
            arguments += ["--inherit-fd", "fd[\(number)]:" + name]
        }
        return arguments
    }
}
