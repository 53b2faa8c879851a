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

extension CriuRequest {
    /// The flags that both have.
    mutating func add(_ values: FlagValues) throws(RuntimeError) {
        let switches: [(String, CriuRequest.Option)] = [
            ("tcp-established", .tcpEstablished), ("tcp-skip-in-flight", .tcpSkipInFlight),
            ("link-remap", .linkRemap), ("ext-unix-sk", .externalUnixSockets), ("shell-job", .shellJob),
            ("lazy-pages", .lazyPages), ("file-locks", .fileLocks), ("auto-dedup", .autoDeduplication),
        ]
        for (name, option) in switches where values.bool(name) { set(option) }
        // criu_cg_mode
        let modes: [(String, UInt64)] = [("", 6), ("soft", 3), ("full", 4), ("strict", 5), ("ignore", 0)]
        let given = values.string("manage-cgroups-mode")
        guard let mode = modes.first(where: { $0.0 == given }) else {
            throw RuntimeError("Invalid manage-cgroups-mode value: " + given)
        }
        set(.managesCgroups)
        set(.cgroupsMode, number: mode.1)
        for name in values.list("empty-ns") {
            guard name == "network" else { throw RuntimeError("namespace " + name + " is not supported") }
            set(.emptyNamespaces, number: UInt64(NamespaceFlags.network.rawValue))
        }
    }
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

/// Makes the directory that criu works in and has its log: the given one, or that of its images.
func makeWorkDirectory(_ given: FilePath?, _ images: FilePath) throws(RuntimeError) -> FilePath {
    let path = given ?? images
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
        let work = try makeWorkDirectory(givenWorkPath(values), images)
        let isPreDump = values.bool("pre-dump")
        let imagesDirectory = try openDirectory(images)
        let workDirectory = try openDirectory(work)
        var request = CriuRequest(
            isPreDump ? .preDump : .dump, images: imagesDirectory, work: workDirectory, workPath: work,
            root: plan.rootfs, config: plan.criuConfig)
        request.set(.pid, number: UInt64(container.record.pid))
        try request.add(values)
        try addParent(images, to: &request)
        try addPages(to: &request)
        if let freezer = container.cgroup.freezerDirectory { request.set(.freezerCgroup, freezer.string) }
        if values.bool("leave-running") { request.set(.leaveRunning) }
        if !isPreDump {
            try addExternals(to: &request)
            let streams = standardStreams()
            for name in streams where name.hasPrefix("file[") { request.addExternal(name) }
            try step("") { () throws(SysError) in
                try replaceFile(images / descriptorsFile, JSONValue.strings(streams).bytes(), mode: 0o600)
            }
        }
        let status = try statusDescriptor()
        try CriuRun().perform(request) { (response, _) throws(RuntimeError) in
            if response.script == "status-ready", let status { tellReady(status) }
        }
    }

    /// Images of an earlier pre-dump, below which only what has changed since is written.
    private func addParent(_ images: FilePath, to request: inout CriuRequest) throws(RuntimeError) {
        let parent = values.string("parent-path")
        if values.bool("pre-dump") || !parent.isEmpty { request.set(.trackMemory) }
        if parent.isEmpty { return }
        if FilePath(parent).isAbsolute { throw RuntimeError("--parent-path must be relative") }
        let info = try step("invalid --parent-path") { () throws(SysError) in try status(images / parent) }
        guard isDirectory(info) else {
            throw RuntimeError("invalid --parent-path: stat " + (images / parent).string + ": not a directory")
        }
        request.set(.parentImages, parent)
    }

    private func addPages(to request: inout CriuRequest) throws(RuntimeError) {
        guard let server = values.optional("page-server"), !server.isEmpty else { return }
        guard let colon = server.utf8.lastIndex(of: UInt8(ascii: ":")),
            let port = Int32(String(server[server.utf8.index(after: colon)...]))
        else { throw RuntimeError("Use --page-server ADDRESS:PORT to specify page server") }
        request.setPageServer(address: String(server[..<colon]), port: port)
    }

    /// The caller's descriptor that is told when the pages can be fetched; nil if nobody wants to know.
    private func statusDescriptor() throws(RuntimeError) -> CInt? {
        guard values.bool("lazy-pages"), let text = values.optional("status-fd"), !text.isEmpty else { return nil }
        guard let number = CInt(text), number >= 0 else {
            throw RuntimeError("invalid --status-fd argument " + text + ": no number of a descriptor")
        }
        let flags = swrun_fcntl(number, F_GETFL, 0)
        if flags < 0 { throw RuntimeError("invalid --status-fd argument \(number): " + Errno.current.text) }
        if flags & (O_WRONLY | O_RDWR) == 0 {
            throw RuntimeError("invalid --status-fd argument \(number): not writable")
        }
        return number
    }

    private func tellReady(_ status: CInt) {
        var byte: UInt8 = 0
        _ = write(status, &byte, 1)
        close(status)
    }

    private func addExternals(to request: inout CriuRequest) throws(RuntimeError) {
        for mount in plan.externalMounts(container.cgroup, empty: FilePath("/")) {
            request.addExternal("mnt[" + mount.destination + "]:" + mount.destination)
        }
        for (type, path, name) in plan.externalNamespaces {
            let info = try step("") { () throws(SysError) in try status(path) }
            request.addExternal("\(type)[\(info.st_ino)]:" + name)
        }
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

/// For criu, which gets at it by the number.
func openDirectory(_ path: FilePath) throws(RuntimeError) -> OwnedFD {
    try step("") { () throws(SysError) in try open(path, O_RDONLY | O_DIRECTORY) }
}
