// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import LinuxSystem
import Networking

/// A spec, and what must stay open until the runtime has read it.
struct PreparedSpec: Sendable {
    var spec: JSONValue
    /// Closes descriptors that the spec names as `/proc/PID/fd/N`.
    var close: @Sendable () -> Void
}

// From a record to the input of the spec builder: everything that has to be looked up.
extension ContainerService {
    func makeSpec(_ record: ContainerRecord, _ attachment: NetworkAttachment) async throws -> PreparedSpec {
        try writeConfigFiles(record, attachment)
        var record = record
        var close: @Sendable () -> Void = {}
        let host = record.hostConfig
        do throws(SpecError) {
            record.config.workingDirectory = FilePath("/" + record.config.workingDirectory).normalized.string
            var input = SpecInput(
                id: record.id, config: record.config, hostConfig: host, user: try resolveUser(record),
                security: try SecurityOptions(parsing: host.list("SecurityOpt")), host: self.host)
            input.mounts = record.mounts
            input.devices = try HostDevices.collect(host)
            input.network = attachment.netnsPath.map { .path($0.string) } ?? .host
            try addNamespaces(record, to: &input)
            if let memory = try sharedMemory(record) {
                input.sharedMemorySource = memory.path
                close = memory.close
            }
            input.configFiles = configFiles(record)
            if host.useInit { input.initProgram = (configuration.programDirectory / "swrun-shim").string }
            if !configuration.cgroupParent.isEmpty { input.cgroupParent = configuration.cgroupParent }
            input.shmSizeBytes = host.number("ShmSize")
            return PreparedSpec(spec: try SpecBuilder(input).build(), close: close)
        } catch {
            close()
            throw EngineError(error)
        }
    }

    private func resolveUser(_ record: ContainerRecord) throws(SpecError) -> ResolvedUser {
        do {
            let files = try UserFiles(rootfs: record.rootfs)
            return try UserLookup(passwd: files.passwd, group: files.group).resolve(
                record.config.user, groupAdd: record.hostConfig.list("GroupAdd"))
        } catch let error as SpecError {
            throw error
        } catch {
            throw SpecError("cannot read the container's user database: \(error)", .other)
        }
    }

    private func addNamespaces(_ record: ContainerRecord, to input: inout SpecInput) throws(SpecError) {
        let host = record.hostConfig
        input.pid = try namespace(host.text("PidMode"), "pid")
        input.ipc = try namespace(host.text("IpcMode"), "ipc")
        let sharesHostName = host.text("UTSMode") == "host" || host.networkMode == "host" && host.privileged
        input.uts = sharesHostName && host.text("UTSMode") == "host" ? .host : .new
        input.cgroup = host.text("CgroupnsMode") == "private" ? .new : .host
    }

    private func namespace(_ mode: String, _ kind: String) throws(SpecError) -> SpecInput.Namespace {
        if mode == "host" { return .host }
        guard mode.hasPrefix("container:") else { return .new }
        return .path("/proc/\(try runningPID(mode))/ns/\(kind)")
    }

    /// The pid of the container that `container:ID` means.
    private func runningPID(_ mode: String) throws(SpecError) -> Int32 {
        let reference = String(mode.dropFirst("container:".count))
        guard let other = try? find(reference) else {
            throw SpecError("No such container: \(reference)", .other)
        }
        guard let run = other.state.run else {
            throw SpecError("cannot join the namespaces of a container that is not running: \(other.id)", .other)
        }
        return run.pid
    }

    /// The host's or another container's /dev/shm. The latter is opened inside that container's root, which is
    /// hostile, and handed on as our descriptor.
    private func sharedMemory(
        _ record: ContainerRecord
    ) throws(SpecError) -> (path: String, close: @Sendable () -> Void)? {
        let mode = record.hostConfig.text("IpcMode")
        if mode == "host" { return ("/dev/shm", {}) }
        guard mode.hasPrefix("container:") else { return nil }
        let pid = try runningPID(mode)
        do throws(SysError) {
            let root = try open(FilePath("/proc/\(pid)/root"), OpenFlags.directory)
            let memory = DescriptorBox(try openInRoot(root, "dev/shm", OpenFlags.directory))
            return ("/proc/\(ownProcessID())/fd/\(memory.number)", { memory.keepAlive() })
        } catch {
            throw SpecError("cannot share /dev/shm of container \(mode): \(error.description)", .other)
        }
    }
}

/// Keeps a descriptor open for as long as somebody holds the box.
private final class DescriptorBox: Sendable {
    private let fd: OwnedFD

    init(_ fd: consuming OwnedFD) { self.fd = fd }

    var number: CInt { fd.raw }

    /// Called last: the box, and with it the descriptor, lives at least until here.
    func keepAlive() {}
}
