// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
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
        let isDetached = values.bool("detach")
        let hasTerminal = launcher.plan.process.hasTerminal
        if isDetached, hasTerminal, launcher.options.consoleSocket == nil {
            throw RuntimeError("cannot allocate tty if runc will detach without setting console socket")
        }
        func restore(_ console: consuming OwnedFD?) throws(RuntimeError) -> LaunchedContainer {
            var console = consume console
            let child = try launcher.claiming { (launcher) throws(RuntimeError) in
                try RestoreCall(launcher: launcher, values: values, images: images, work: work).run(console.take())
            }
            let container = try Container(invocation.id, in: invocation.store, cgroup: launcher.cgroup)
            runFinalHooks(
                container.record.poststart, named: "poststart", state: container.state(.running), invocation.log)
            return child
        }
        if isDetached {
            _ = try restore(try openConsole(launcher.options))
            return 0
        }
        if !values.bool("no-subreaper") { try step("") { () throws(SysError) in try becomeSubreaper() } }
        let code = try runInForeground(hasTerminal: hasTerminal, restore)
        try destroy(try Container(invocation.id, in: invocation.store, cgroup: launcher.cgroup), invocation.log)
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

    /// - Parameter console: who gets the terminal, if there is one.
    func run(_ console: consuming OwnedFD?) throws(RuntimeError) -> LaunchedContainer {
        _ = try launcher.makeFilter()  // for the processes that `exec` adds; criu has that of the others
        try launcher.applyLimits()
        let work = try makeWorkDirectory(work, images)
        let root = try makeRoot()
        do throws(RuntimeError) { return try record(restore(root, work, console)) } catch {
            try? unmountAll(root)  // or the directory could not be removed
            throw error
        }
    }

    private func restore(
        _ root: FilePath, _ work: FilePath, _ console: consuming OwnedFD?
    ) throws(RuntimeError) -> Int32 {
        // From here on, in this program's own mount namespace: criu makes mounts in its work directory.
        let imagesDirectory = try openDirectory(images)
        let workDirectory = try openDirectory(work)
        var request = CriuRequest(
            .restore, images: imagesDirectory, work: workDirectory, workPath: work, root: root,
            config: plan.criuConfig)
        request.set(.restoresSibling)  // a child of ours
        try request.add(values)
        request.set(.lsmProfile, values.string("lsm-profile"))
        request.set(.lsmMountContext, values.string("lsm-mount-context"))
        try addExternals(to: &request)
        try addStandardStreams(to: &request)
        let criu = try CriuRun()
        try enterCgroups(criu.pid, &request)
        var restored: Int32 = 0
        let hooks = plan.spec.hooks
        try criu.perform(request) { (response, terminal) throws(RuntimeError) in
            switch response.script {
            case "setup-namespaces":
                let state = launcher.hookState(response.pid)
                try runHooks(hooks.prestart, named: "prestart", state: state)
                try runHooks(hooks.createRuntime, named: "createRuntime", state: state)
            case "orphan-pts-master":
                switch console {
                case .some(let socket):
                    guard let terminal else { throw RuntimeError("criu sent no terminal") }
                    try step("send the terminal") { () throws(SysError) in try sendTerminal(terminal, to: socket) }
                case .none: throw RuntimeError("nobody takes the container's terminal")
                }
            case "post-restore": restored = response.pid
            default: break
            }
        }
        return restored
    }

    private func record(_ pid: Int32) throws(RuntimeError) -> LaunchedContainer {
        if pid <= 0 { throw RuntimeError("criu restored no process") }
        let process = try step("") { () throws(SysError) in try openProcess(pid) }
        let sockets = try step("") { () throws(SysError) in try UnixSocket.pair() }
        let child = LaunchedContainer(
            pid: pid, process: process, channel: LauncherChannel(socket: sockets.first), agent: nil)
        try launcher.record(child)
        try recordTimeNamespace(pid)
        return child
    }

    /// criu makes one, in which clocks go on from where they were: processes that `exec` adds have to be in it as well.
    private func recordTimeNamespace(_ pid: Int32) throws(RuntimeError) {
        let own = try? readLink(FilePath("/proc/self/ns/time")).string
        if (try? readLink(FilePath("/proc/\(pid)/ns/time")).string) == own { return }
        var record = try launcher.store.load(launcher.id)
        let name = RuntimeLinux.NamespaceType.time.rawValue
        if record.namespaces.contains(name) { return }
        record.namespaces.append(name)
        try launcher.store.save(record)
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

    private func addExternals(to request: inout CriuRequest) throws(RuntimeError) {
        for mount in plan.externalMounts(launcher.cgroup, empty: empty) {
            request.addExternal("mnt[" + mount.destination + "]:" + mount.source.string)
        }
        for case .bind(let source, _) in plan.mounts.map({ $0.kind }) where !exists(source) {
            throw RuntimeError("restore: " + source.string + ", which the container had bound, is not there any more")
        }
        try makeMountPoints()
        for (_, path, name) in plan.externalNamespaces {
            let file = try step("") { () throws(SysError) in try open(path, O_RDONLY) }
            request.addInherited(name, try inheritable(file))
        }
        for (type, path) in plan.joinedByCriu { request.addJoined(type, path) }
    }

    /// A new root may lack the places of mounts, also those that are on other mounts. They are found by making the binds on a
    /// copy of the root, which is given up afterwards.
    private func makeMountPoints() throws(RuntimeError) {
        try step("make the places of mounts") { () throws(SysError) in
            try MountTree.clone(path: plan.rootfs, recursive: true).attach(on: try open(empty, O_PATH | O_DIRECTORY))
            defer { try? unmountAll(empty) }
            let root = try open(empty, O_PATH | O_DIRECTORY)
            for mount in plan.mounts {
                guard case .bind(let source, let isRecursive) = mount.kind else {
                    _ = try? makeDirectoriesInRoot(root, mount.destination)
                    continue
                }
                let isDirectory = isDirectory(try status(source))
                let place =
                    isDirectory
                    ? try makeDirectoriesInRoot(root, mount.destination) : try makeFileInRoot(root, mount.destination)
                try MountTree.clone(path: source, recursive: isRecursive).attach(on: place)
            }
        }
    }

    /// Into the container's, wherever the processes were when they were saved. criu goes there itself: its children do so by
    /// that already if it is told to leave cgroups alone.
    private func enterCgroups(_ criu: Int32, _ request: inout CriuRequest) throws(RuntimeError) {
        try launcher.resctrl?.add(criu)
        let cgroup = launcher.cgroup
        if cgroup.isMissing { return }
        for hierarchy in cgroup.layout.hierarchies {
            var controllers = ""
            if case .v1(let names) = hierarchy.kind { controllers = names.joined(separator: ",") }
            try step("put criu into the container's cgroup") { () throws(SysError) in
                try writeText(cgroup.directory(in: hierarchy) / "cgroup.procs", String(criu))
            }
            request.addCgroup(controllers, cgroup.fullPath(in: hierarchy))
        }
    }

    /// Ours take the place of those that the container had from outside.
    private func addStandardStreams(to request: inout CriuRequest) throws(RuntimeError) {
        let file = images / descriptorsFile
        let bytes = try step("read the checkpoint") { () throws(SysError) in try readFile(file, limit: 65536) }
        guard let names = try? JSONValue(parsing: bytes).strings else {
            throw RuntimeError(file.string + " is damaged")
        }
        for (number, name) in names.prefix(3).enumerated() where !name.isEmpty {
            if names[..<number].contains(name) { continue }  // both are one pipe
            request.addInherited(name, CInt(number))
        }
    }
}
