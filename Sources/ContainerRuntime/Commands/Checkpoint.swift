// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
import Flags
import JSON
import LinuxSystem
import OCISpec

var checkpointCommand: Command {
    Command(
        name: "checkpoint", help: "save a running container's processes with criu(8)", usage: "CONTAINER-ID",
        flags: criuFlags + [
            .string("parent-path", "path for previous criu image files in pre-dump"),
            .bool("leave-running", "leave the process running after checkpointing"),
            .string("page-server", "ADDRESS:PORT of the page server"),
            .bool("pre-dump", "dump container's memory information only, leave the container running after this"),
            .string("status-fd", "criu writes \\0 to this FD once lazy-pages is ready"),
        ], arity: .exactly(1)
    ) { invocation throws(RuntimeError) in
        let container = try invocation.container()
        let status = container.status
        if status == .created || status == .stopped {
            throw RuntimeError("Container cannot be checkpointed in " + status.rawValue + " state")
        }
        let spec = try readSpec(FilePath(container.record.config))
        let plan = try ContainerPlan(spec, bundle: FilePath(container.record.bundle), privileges: .current())
        try plan.checkCanBeCheckpointed()
        try CheckpointCall(container: container, plan: plan, values: invocation.values).run()
        if !invocation.values.bool("leave-running"), !invocation.values.bool("pre-dump") {
            try destroy(container, invocation.log)
        }
        return 0
    }
}

/// What both take.
var criuFlags: [Flag] {
    [
        .string("image-path", "path for criu image files"), .string("work-path", "path for criu work files and logs"),
        .bool("tcp-established", "allow open tcp connections"),
        .bool("tcp-skip-in-flight", "skip in-flight connections"),
        .bool("link-remap", "allow one to link unlinked files back when possible"),
        .bool("ext-unix-sk", "allow external unix sockets"), .bool("shell-job", "allow shell jobs"),
        .bool("lazy-pages", "use userfaultfd to lazily move memory pages"), .bool("file-locks", "handle file locks"),
        .string("manage-cgroups-mode", "cgroups mode: soft, full, strict or ignore"),
        .list("empty-ns", "create a namespace, but don't restore its properties"),
        .bool("auto-dedup", "enable auto deduplication of memory images"),
    ]
}

/// The flags of both that criu has by the same meaning.
func criuArguments(_ values: FlagValues) throws(RuntimeError) -> [String] {
    let names = [
        ("tcp-established", "--tcp-established"), ("tcp-skip-in-flight", "--skip-in-flight"),
        ("link-remap", "--link-remap"), ("ext-unix-sk", "--ext-unix-sk"), ("shell-job", "--shell-job"),
        ("lazy-pages", "--lazy-pages"), ("file-locks", "--file-locks"), ("auto-dedup", "--auto-dedup"),
    ]
    var arguments = names.filter { values.bool($0.0) }.map { $0.1 }
    let mode = values.string("manage-cgroups-mode")
    guard ["", "soft", "full", "strict", "ignore"].contains(mode) else {
        throw RuntimeError("Invalid manage-cgroups-mode value: " + mode)
    }
    arguments.append("--manage-cgroups=" + (mode.isEmpty ? "soft" : mode))
    for name in values.list("empty-ns") {
        guard name == "network" else { throw RuntimeError("namespace " + name + " is not supported") }
        arguments += ["--empty-ns", "net"]
    }
    return arguments
}

/// Where criu's images are: as the flag says, or `checkpoint` in the current directory.
func imagePath(_ values: FlagValues) throws(RuntimeError) -> FilePath {
    try absolutePath(FilePath(values.optional("image-path") ?? "checkpoint"))
}

/// Where criu works, if a flag says it.
func givenWorkPath(_ values: FlagValues) throws(RuntimeError) -> FilePath? {
    guard let path = values.optional("work-path"), !path.isEmpty else { return nil }
    return try absolutePath(FilePath(path))
}

/// Makes the directory that criu works in: the given one, or one of the container's.
func makeWorkDirectory(_ given: FilePath?, _ container: FilePath) throws(RuntimeError) -> FilePath {
    let path = given ?? container / "criu.work"
    try step("make the work directory") { () throws(SysError) in try makeDirectories(path, mode: 0o700) }
    return path
}

/// `criu dump` of a container.
private struct CheckpointCall {
    let container: Container
    let plan: ContainerPlan
    let values: FlagValues

    func run() throws(RuntimeError) {
        let images = try imagePath(values)
        try step("make the image directory") { () throws(SysError) in try makeDirectories(images, mode: 0o700) }
        let work = try makeWorkDirectory(
            givenWorkPath(values), container.store.directory(container.record.id))
        var call = CriuCall(
            values.bool("pre-dump") ? "pre-dump" : "dump", images: images, work: work, root: plan.rootfs,
            config: plan.criuConfig)
        call.arguments += ["--tree", String(container.record.pid)]
        call.arguments += try criuArguments(values) + parent(images) + pages() + externals()
        if let freezer = container.cgroup.freezerDirectory { call.arguments += ["--freeze-cgroup", freezer.string] }
        if values.bool("leave-running") { call.arguments.append("--leave-running") }
        let streams = standardStreams()
        for name in streams where name.hasPrefix("file[") { call.arguments += ["--external", name] }
        try step("") { () throws(SysError) in
            try replaceFile(images / descriptorsFile, JSONValue.strings(streams).bytes(), mode: 0o600)
        }
        try call.run()
    }

    /// Images of an earlier pre-dump, below which only what has changed since is written.
    private func parent(_ images: FilePath) throws(RuntimeError) -> [String] {
        let tracking = values.bool("pre-dump") ? ["--track-mem"] : []
        guard let parent = values.optional("parent-path"), !parent.isEmpty else { return tracking }
        if FilePath(parent).isAbsolute { throw RuntimeError("--parent-path must be relative") }
        let info = try step("invalid --parent-path") { () throws(SysError) in try status(images / parent) }
        guard isDirectory(info) else {
            throw RuntimeError("invalid --parent-path: stat " + (images / parent).string + ": not a directory")
        }
        return ["--track-mem", "--prev-images-dir", parent]
    }

    private func pages() throws(RuntimeError) -> [String] {
        var arguments: [String] = []
        if let server = values.optional("page-server"), !server.isEmpty {
            guard let colon = server.utf8.lastIndex(of: UInt8(ascii: ":")) else {
                throw RuntimeError("Use --page-server ADDRESS:PORT to specify page server")
            }
            let port = String(server[server.utf8.index(after: colon)...])
            arguments += ["--page-server", "--address", String(server[..<colon]), "--port", port]
        }
        if let path = values.optional("status-fd"), !path.isEmpty {
            let file = try step("") { () throws(SysError) in try open(FilePath(path), O_WRONLY) }
            arguments += ["--status-fd", String(try inheritable(file))]
        }
        return arguments
    }

    private func externals() throws(RuntimeError) -> [String] {
        var arguments: [String] = []
        for mount in plan.externalMounts(container.cgroup, empty: FilePath("/")) {
            arguments += ["--external", "mnt[" + mount.destination + "]:" + mount.destination]
        }
        if let network = plan.joinedNetwork {
            let info = try step("") { () throws(SysError) in try status(network) }
            arguments += ["--external", "net[\(info.st_ino)]:" + externalNetwork]
        }
        return arguments
    }

    /// Pipes, and files from outside of the container's mounts.
    private func standardStreams() -> [String] {
        let process = FilePath("/proc/\(container.record.pid)")
        let table = (try? readText(process / "mountinfo")) ?? ""
        let mounts = table.split(separator: "\n").map { $0.prefix { $0 != " " } }
        return (0..<3).map { number in
            guard let target = try? readLink(process / "fd" / String(number)).string else { return "" }
            if target.hasPrefix("pipe:") { return target }
            let facts = (try? readText(process / "fdinfo" / String(number)))?.split(separator: "\n") ?? []
            guard let line = facts.first(where: { $0.hasPrefix("mnt_id:") }), target.hasPrefix("/"),
                let info = try? status(process / "fd" / String(number))
            else { return "" }
            let mount = line.dropFirst(7).drop { $0 == "\t" || $0 == " " }
            guard !mounts.contains(mount), let id = UInt64(mount) else { return "" }
            return "file[" + String(id, radix: 16) + ":" + String(UInt64(info.st_ino), radix: 16) + "]"
        }
    }
}

/// The number of a descriptor that criu gets as well. It stays open: this program ends soon.
func inheritable(_ file: consuming OwnedFD) throws(RuntimeError) -> CInt {
    let number = file.relinquish()
    try step("") { () throws(SysError) in try sys("fcntl") { swrun_fcntl(number, F_SETFD, 0) } }
    return number
}
