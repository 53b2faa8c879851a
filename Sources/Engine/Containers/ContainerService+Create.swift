// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
package import DockerAPI
import JSON
import LinuxSystem
import Netlink
import Networking
package import OCISpec
import SwiftProtobuf

/// The answer of `create`.
package struct CreatedContainer: Sendable {
    package var id: String
    package var warnings: [String]
}

extension ContainerService {
    /// Makes a container, which is then ready to start. On failure nothing is left behind.
    package func create(
        _ request: ContainerCreateRequest, name: String?, platform: Platform?
    ) async throws -> CreatedContainer {
        if request.isEmpty {
            throw EngineError.invalidArgument("config cannot be empty in order to create a container")
        }
        if request.config.image.isEmpty { throw EngineError.invalidArgument("no command specified") }
        let given = try name.map { (name) throws(EngineError) in try ContainerName.check(name) }
        let image = try await images.resolve(request.config.image, platform: platform)
        try validate(request)
        let id = randomIdentifier()
        var record = try await makeRecord(id, request, image)
        if let given {
            try registry.reserve(given, for: id)
            record.name = given
        } else {
            record.name = try registry.reserveRandomName(for: id)
        }
        do {
            try await makeResources(&record)
        } catch {
            await discard(record)
            throw error
        }
        registry.add(Container(record))
        publish("create", record)
        let isWeightDiscarded = !weighsBlockIO && request.hostConfig.number("BlkioWeight") != 0
        var warnings = isWeightDiscarded ? [Self.weightWarning] : []
        if !request.hostConfig.objects("BlkioWeightDevice").isEmpty { warnings.append(Self.deviceWeightWarning) }
        if self.host.usesUnifiedCgroups, request.hostConfig["OomKillDisable"].bool == true {
            warnings.append("Your kernel does not support OomKillDisable. OomKillDisable discarded.")
        }
        return CreatedContainer(id: id, warnings: warnings + self.warnings(record))
    }

    private func validate(_ request: ContainerCreateRequest) throws(EngineError) {
        var host = request.hostConfig
        ContainerDefaults.normalize(&host, configuration, unifiedCgroups: self.host.usesUnifiedCgroups)
        try ContainerValidation(
            config: request.config, host: host, facts: self.host, runtimes: configuration.runtimes.map { $0.name },
            isRemapped: !configuration.identities.isEmpty, usesSystemdCgroups: configuration.usesSystemdCgroups
        ).check()
        try LogOptions.validateReceiver(driver: host.logDriver, options: host.logOptions)
        try checkEndpoints(request)
    }

    /// Settings must be there for each network that is named.
    private func checkEndpoints(_ request: ContainerCreateRequest) throws(EngineError) {
        for (network, settings) in request.endpoints {
            let frame = "invalid config for network \(network == "default" ? "bridge" : network): "
            if settings.isNull { throw .invalidArgument(frame + "EndpointsConfig is nil") }
            let mac = settings.field("MacAddress")?.string ?? ""
            if !mac.isEmpty, MACAddress(mac) == nil { throw .invalidArgument(frame + "invalid MAC address \(mac)") }
            let reasons = Self.refusals(of: settings, on: network)
            if !reasons.isEmpty {
                throw .invalidArgument(frame + "invalid endpoint settings:\n" + NetworkError.list(reasons))
            }
        }
        let mac = request.config.json["MacAddress"]?.string ?? ""
        if !mac.isEmpty, MACAddress(mac) == nil {
            throw .invalidArgument("invalid config for network bridge: invalid MAC address \(mac)")
        }
    }

    /// Why an endpoint cannot have these settings: addresses that are none, and what networks of users only have.
    static func refusals(of settings: JSONValue, on network: String) -> [String] {
        let addresses = ["IPv4Address", "IPv6Address"].map { settings["IPAMConfig"]?[$0]?.string ?? "" }
        var malformed: [String] = []
        if !addresses[0].isEmpty, IPv4Address(addresses[0]) == nil {
            malformed.append("invalid IPv4 address: \(addresses[0])")
        }
        if !addresses[1].isEmpty, IPv6Address(addresses[1])?.isMappedIPv4 != false {
            malformed.append("invalid IPv6 address: \(addresses[1])")
        }
        guard ["bridge", "default", "host", "none"].contains(network) else { return malformed }
        let given = addresses.filter { !$0.isEmpty }
        var reasons: [String] = []
        if !given.isEmpty {
            reasons.append("user specified IP address is supported on user defined networks only")
        }
        if settings["Aliases"]?.strings?.isEmpty == false {
            reasons.append("network-scoped alias is supported only for containers in user defined networks")
        }
        return reasons + malformed
            + given.map { _ in
                "user specified IP address is supported only when connecting to networks with user configured subnets"
            }
    }

    private func makeRecord(
        _ id: String, _ request: ContainerCreateRequest, _ image: ImageRecord
    ) async throws -> ContainerRecord {
        var config = request.config
        do throws(FieldError) {
            try ContainerDefaults.merge(image.config["config"] ?? .null, into: &config)
        } catch {
            throw EngineError.invalidArgument("invalid JSON: " + error.message)
        }
        try HealthCheck.validate(config.json["Healthcheck"])
        if !config.workingDirectory.isEmpty {
            config.workingDirectory = FilePath(config.workingDirectory).normalized.string
        }
        if ((config.entrypoint ?? []) + (config.command ?? [])).isEmpty {
            throw EngineError.invalidArgument("no command specified")
        }
        var host = request.hostConfig
        ContainerDefaults.normalize(&host, configuration, unifiedCgroups: self.host.usesUnifiedCgroups)
        if !weighsBlockIO { host.set("BlkioWeight", .int(0)) }
        host.set("BlkioWeightDevice", .null)  // no kernel file takes it from us: the answer warns of it
        try resolveContainerModes(&host)
        try resolveLinks(&host)
        config.hostname = hostname(config, host, id)
        var record = ContainerRecord(
            id: id, name: "", created: .now, imageName: request.config.image, imageID: image.id, config: config,
            hostConfig: host)
        record.manifestDigest = image.manifestDigest
        record.chainID = image.chainID
        record.endpoints = request.endpoints.map { JSONValue.Member($0.key, $0.value) }
        do {
            record.mounts = try MountRequests.parse(hostConfig: host)
            for index in record.mounts.indices where record.mounts[index].kind == .bind {
                if request.mountsReadOnlyAtTopOnly { record.mounts[index].readOnlyBelow = .never }
                try requireFittingPropagation(&record.mounts[index], in: configuration.dataRoot.string)
            }
            try await requireSources(record.mounts)
            try addVolumesFrom(host.list("VolumesFrom"), to: &record.mounts)
            try MountRequests.addVolumes(config, driver: host.text("VolumeDriver"), to: &record.mounts)
        } catch let error as SpecError {
            throw EngineError(error)
        }
        return record
    }

    /// `container:NAME` becomes `container:ID`, which a rename does not change.
    private func resolveContainerModes(_ host: inout HostConfig) throws(EngineError) {
        for field in ["NetworkMode", "IpcMode", "PidMode"] {
            let mode = host.text(field)
            guard mode.hasPrefix("container:") else { continue }
            let reference = String(mode.dropFirst("container:".count))
            // The container whose network it is may come later, as far as its start.
            if field == "NetworkMode", (try? find(reference)) == nil { continue }
            host.set(field, .string("container:" + (try joined(reference)).id))
        }
    }

    /// Not a 404: clients take that for a missing image and pull.
    private func joined(_ reference: String) throws(EngineError) -> Container {
        do throws(EngineError) { return try find(reference) } catch { throw .invalidArgument(error.message) }
    }

    private func hostname(_ config: ContainerConfig, _ host: HostConfig, _ id: String) -> String {
        if !config.hostname.isEmpty { return config.hostname }
        if host.networkMode == "host" || host.text("UTSMode") == "host" { return MachineFacts().hostname }
        if host.networkMode.hasPrefix("container:"),
            let other = try? find(String(host.networkMode.dropFirst("container:".count)))
        {
            return other.record.config.hostname
        }
        return String(id.prefix(12))
    }

    /// `--volumes-from NAME[:ro]`: the other container's mounts, where this one has asked for none; of several containers
    /// the last one's.
    private func addVolumesFrom(_ references: [String], to mounts: inout [MountPoint]) throws(EngineError) {
        let own = mounts.map { $0.destination }
        for reference in references {
            let parts = reference.split(separator: ":", maxSplits: 1).map { String($0) }
            let mode = parts.count == 2 ? parts[1] : "rw"
            guard let name = parts.first, !name.isEmpty else {
                throw .invalidArgument("malformed volumes-from specification: \(reference)")
            }
            guard VolumesFromMode.isValid(mode) else { throw .invalidArgument("invalid mode: \(mode)") }
            let other = try joined(name)
            for var mount in other.record.mounts where mount.kind != .tmpfs {
                if own.contains(mount.destination) { continue }
                mounts.removeAll { $0.destination == mount.destination }
                if VolumesFromMode.isReadOnly(mode) { mount.writable = false }
                mount.anonymous = false
                mount.copiesContent = false
                mounts.append(mount)
            }
        }
    }

    private func warnings(_ record: ContainerRecord) -> [String] {
        var warnings: [String] = []
        let host = record.hostConfig
        if host["OomKillDisable"].bool == true, host.number("Memory") == 0 {
            warnings.append(
                "OOM killer is disabled for the container, but no memory limit is set, this can result in the system "
                    + "running out of resources.")
        }
        if record.hostConfig.networkMode == "host", record.hostConfig["PortBindings"].members?.isEmpty == false {
            warnings.append("Published ports are discarded when using host network mode")
        }
        return warnings
    }
}

/// The mode of `--volumes-from NAME:MODE`.
private enum VolumesFromMode {
    static func isValid(_ mode: String) -> Bool {
        let parts = mode.split(separator: ",", omittingEmptySubsequences: false)
        let known = ["ro", "rw", "z", "Z"]
        let access = parts.filter { $0 == "ro" || $0 == "rw" }
        return parts.allSatisfy { known.contains(String($0)) } && access.count <= 1
    }

    static func isReadOnly(_ mode: String) -> Bool { mode.split(separator: ",").contains("ro") }
}

// MARK: What a container has before its start

extension ContainerService {
    /// Snapshot, the supervisor's record, volumes, directory, then our record: it names nothing that is not there.
    private func makeResources(_ record: inout ContainerRecord) async throws {
        try makeContainerDirectory(record.id)
        let draft = record
        async let mounts = supervisor.prepareSnapshot(draft.id, parent: draft.chainID)
        async let made: Void = makeSupervisorContainer(draft)
        record.rootfs = try await mounts.map {
            RootMount(type: $0.type, source: $0.source, options: $0.options)
        }
        try await made
        try limitStorage(record)
        try await makeWorkingDirectory(record)
        try await useVolumes(&record)
        try await useImages(&record)
        try store.save(record)
    }

    /// Root in a container passes through it, to its configuration files.
    private func makeContainerDirectory(_ id: String) throws(SysError) {
        let directory = directory(id)
        try makeSpreadDirectory(directory.parent, mode: 0o710)
        try makeDirectory(directory, mode: 0o710)
        if configuration.identities.isEmpty { return }
        let passing = FileOwner(uid: 0, gid: configuration.identities.root.gid)
        for path in [directory.parent, directory] { try changeOwner(path, passing) }
    }

    private func makeSupervisorContainer(_ record: ContainerRecord) async throws {
        let runtime = configuration.runtimes.first { $0.name == record.hostConfig.text("Runtime") }
        let options = try RuntimeOptions.message(runtime, configuration)
        let message = ContainerMessage.with {
            $0.id = record.id
            $0.image = record.imageName
            $0.snapshotter = SupervisorConnection.snapshotter
            $0.snapshotKey = record.id
            let name = record.hostConfig.text("Runtime")
            let fallback = RuntimeEntry.isShimName(name) ? name : "io.containerd.swrun.v2"
            $0.runtime.name = runtime?.shim ?? fallback
            $0.runtime.options = options
            // The contract asks for one; each start brings its own (`setContainerSpec`).
            $0.spec = .runtimeSpec("Spec", Array(#"{"ociVersion":"1.1.0"}"#.utf8))
            $0.labels = ["io.swrun.container.name": record.name]
        }
        _ = try await supervisor.createContainer(message)
    }

    private func useVolumes(_ record: inout ContainerRecord) async throws {
        let overlay = record.rootfs.first { $0.type == "overlay" }?.options ?? []
        for index in record.mounts.indices where record.mounts[index].kind == .volume {
            let mount = record.mounts[index]
            let made = try await volumes.create(
                name: mount.name, driver: mount.driver, labels: mount.volumeLabels, options: mount.volumeOptions,
                by: record.id)
            let volume = try await volumes.mount(made.name)
            record.mounts[index].name = volume.name
            record.mounts[index].driver = made.driver
            if !made.isLocal, mount.mode == "z" { record.mounts[index].mode = "" }
            record.mounts[index].source = volume.source.string
            if mount.copiesContent {
                try await volumes.populate(
                    volume.name, part: mount.subpath, path: mount.destination, mountOptions: overlay)
            }
        }
    }

    /// Undoes a creation that failed somewhere; each part may or may not be there.
    private func discard(_ record: ContainerRecord) async {
        try? store.delete(record.id)
        try? await volumes.release(container: record.id, removingAnonymous: true)
        try? await supervisor.deleteContainer(record.id)
        releaseStorage(record)
        try? await supervisor.removeSnapshot(record.id)
        try? await releaseImages(record)
        try? removeTree(directory(record.id))
        registry.release(name: record.name, of: record.id)
    }
}
