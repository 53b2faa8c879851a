// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import LinuxSystem
import Networking
import Threads

// From a record to the input of the spec builder: everything that has to be looked up.
extension ContainerService {
    func makeSpec(
        _ record: ContainerRecord, _ attachment: NetworkAttachment, _ user: ResolvedUser
    ) async throws -> JSONValue {
        try writeConfigFiles(record, attachment)
        let links = try linkEnvironment(record)
        // Devices are looked up at paths of the user's, where a file system may hang.
        return try await runOnThread { [self] in try spec(record, attachment, user, links) }
    }

    private func spec(
        _ record: ContainerRecord, _ attachment: NetworkAttachment, _ user: ResolvedUser, _ links: [String]
    ) throws(EngineError) -> JSONValue {
        var record = record
        let host = record.hostConfig
        do throws(SpecError) {
            record.config.workingDirectory = FilePath("/" + record.config.workingDirectory).normalized.string
            var input = SpecInput(
                id: record.id, config: record.config, hostConfig: host, user: user,
                security: try SecurityOptions(parsing: host.list("SecurityOpt"), defaults: configuration),
                host: self.host)
            input.mounts = record.mounts
            input.devices = try HostDevices.collect(host)
            input.network = attachment.netnsPath.map { .path($0.string) } ?? .host
            try addNamespaces(record, to: &input)
            if isRemapped(host) {
                guard let users = attachment.usernsPath else {
                    throw SpecError("cannot join \(record.networkMode): it is in no user namespace", .conflict)
                }
                input.userNamespace = .path(users.string)
            }
            input.sharedMemorySource = try sharedMemory(record)
            input.configFiles = configFiles(record)
            if host.useInit { input.initProgram = initProgram }
            input.linkEnvironment = links
            input.defaultUlimits = configuration.defaultUlimits
            input.cgroupParent = configuration.cgroupParent
            input.usesSystemdCgroup = configuration.usesSystemdCgroups
            input.shmSizeBytes = host.number("ShmSize")
            input.throttles = try throttles(host)
            var spec = try SpecBuilder(input).build()
            let requests = host.objects("DeviceRequests")
            if !requests.isEmpty {
                let registry = CDIRegistry(directories: configuration.deviceDirectories)
                try registry.inject(DeviceRequests.names(requests, registry), into: &spec)
            }
            return spec
        } catch {
            throw EngineError(error)
        }
    }

    private var initProgram: String {
        let own = configuration.programDirectory / "swrun-shim"
        return configuration.initPath.isEmpty ? own.string : configuration.initPath
    }

    func resolveUser(_ record: ContainerRecord) async throws(EngineError) -> ResolvedUser {
        let files: UserFiles
        do { files = try await pool.run { try UserFiles(rootfs: record.rootfs) } } catch {
            throw .internal("cannot read the container's user database: \(EngineError(error).message)")
        }
        do throws(SpecError) {
            return try UserLookup(passwd: files.passwd, group: files.group).resolve(
                record.config.user, groupAdd: record.hostConfig.list("GroupAdd"))
        } catch {
            throw EngineError(error)
        }
    }

    /// `--device-read-bps` and its like, with the devices' numbers.
    private func throttles(_ host: HostConfig) throws(SpecError) -> [(key: String, entries: [JSONValue])] {
        let fields = [
            ("BlkioDeviceReadBps", "throttleReadBpsDevice"), ("BlkioDeviceWriteBps", "throttleWriteBpsDevice"),
            ("BlkioDeviceReadIOps", "throttleReadIOPSDevice"), ("BlkioDeviceWriteIOps", "throttleWriteIOPSDevice"),
        ]
        var throttles: [(key: String, entries: [JSONValue])] = []
        for (field, key) in fields where !host.objects(field).isEmpty {
            var entries: [JSONValue] = []
            for limit in host.objects(field) {
                let number = try HostDevices.number(limit["Path"]?.string ?? "")
                entries.append(
                    ["major": .int(number.major), "minor": .int(number.minor), "rate": limit["Rate"] ?? .int(0)])
            }
            throttles.append((key, entries))
        }
        return throttles
    }

    private func addNamespaces(_ record: ContainerRecord, to input: inout SpecInput) throws(SpecError) {
        let host = record.hostConfig
        input.pid = try namespace(host.text("PidMode"), "pid")
        input.ipc = try namespace(host.text("IpcMode"), "ipc")
        input.uts = host.text("UTSMode") == "host" ? .host : .new
        input.cgroup = host.text("CgroupnsMode") == "private" ? .new : .host
    }

    /// Whether a container has other users than the host (`--userns-remap`, and not `--userns=host`).
    func isRemapped(_ host: HostConfig) -> Bool {
        !configuration.identities.isEmpty && host.text("UsernsMode") != "host"
    }

    /// What a new network namespace belongs to. One user namespace has all that a container joins of another's.
    func networkOwner(_ host: HostConfig) throws(EngineError) -> NetworkOwner {
        guard isRemapped(host) else { return .host }
        do throws(SpecError) {
            for field in ["IpcMode", "PidMode"] where host.text(field).hasPrefix("container:") {
                let pid = try runningPID(host.text(field), field == "IpcMode" ? "IPC" : "PID")
                return .existing(FilePath("/proc/\(pid)/ns/user"))
            }
        } catch {
            throw EngineError(error)
        }
        return .new(configuration.identities)
    }

    private func namespace(_ mode: String, _ kind: String) throws(SpecError) -> SpecInput.Namespace {
        if mode == "host" { return .host }
        guard mode.hasPrefix("container:") else { return .new }
        return .path("/proc/\(try runningPID(mode, kind.uppercased()))/ns/\(kind)")
    }

    /// The pid of the container that `container:ID` means.
    private func runningPID(_ mode: String, _ kind: String) throws(SpecError) -> Int32 {
        let reference = String(mode.dropFirst("container:".count))
        guard let other = try? find(reference) else {
            throw SpecError("No such container: \(reference)", .other)
        }
        guard let run = other.state.run else {
            throw SpecError("failed to join \(kind) namespace: container \(other.id) is not running", .other)
        }
        return run.pid
    }

    /// A /dev/shm that lives on the host: the host's own, or one that containers share. That of a `private` container
    /// is made inside it and nobody else can have it.
    private func sharedMemory(_ record: ContainerRecord) throws(SpecError) -> String? {
        let mode = record.hostConfig.text("IpcMode")
        switch mode {
        case "host": return "/dev/shm"
        case "shareable": return try makeSharedMemory(record)
        case _ where mode.hasPrefix("container:"): return try donorMemory(mode)
        default: return nil
        }
    }

    private func makeSharedMemory(_ record: ContainerRecord) throws(SpecError) -> String {
        let path = sharedMemoryPath(record.id)
        do throws(SysError) {
            try makeDirectories(path, mode: 0o700)
            try mount(
                "shm", on: path, type: "tmpfs", flags: [.noSetUID, .noExec, .noDevices],
                data: "mode=1777,size=\(record.hostConfig.number("ShmSize"))")
            if !configuration.identities.isEmpty { try changeOwner(path, configuration.identities.root) }
        } catch {
            throw SpecError("cannot make the shared memory of container \(record.id): \(error.description)", .other)
        }
        return path.string
    }

    private func donorMemory(_ mode: String) throws(SpecError) -> String {
        let reference = String(mode.dropFirst("container:".count))
        guard let donor = try? find(reference) else { throw SpecError("No such container: \(reference)", .other) }
        switch donor.record.hostConfig.text("IpcMode") {
        case "shareable": return sharedMemoryPath(donor.id).string
        case "host": return "/dev/shm"
        default:
            throw SpecError(
                "failed to join IPC namespace: container \(donor.id): non-shareable IPC (hint: use IpcMode:shareable "
                    + "for the donor container)")
        }
    }

    private func sharedMemoryPath(_ id: String) -> FilePath { runDirectory(id) / "shm" }

    /// Removes what a run has below the exec root, the mounts first.
    func removeRunDirectory(_ id: String) {
        unstage(id)
        if exists(sharedMemoryPath(id)) { try? unmountAll(sharedMemoryPath(id)) }
        try? removeTree(runDirectory(id))
    }
}
