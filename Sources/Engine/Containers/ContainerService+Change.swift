// SPDX-License-Identifier: Apache-2.0
import DockerAPI
package import JSON
import LinuxSystem
import Logging
import Networking

// Renaming and changing limits.
extension ContainerService {
    package func rename(_ reference: String, to newName: String) async throws {
        let container = try find(reference)
        if newName.isEmpty || newName == "/" {
            throw EngineError.invalidArgument("Neither old nor new names may be empty")
        }
        let name: String
        do throws(EngineError) {
            name = try ContainerName.check(newName.hasPrefix("/") ? newName : "/" + newName)
        } catch { throw Self.cannotRename(error) }
        try await container.operations.run { [self] in
            try checkExists(container)
            let old = container.record.name
            if old == name {
                throw EngineError.invalidArgument("Renaming a container with the same name as its current name")
            }
            do throws(EngineError) { try registry.reserve(name, for: container.id) } catch {
                throw Self.cannotRename(error)
            }
            let record = container.update { $0.name = name }
            do { try container.store { (record) throws in try store.save(record) } } catch {
                container.update { $0.name = old }
                registry.release(name: name, of: container.id)
                throw error
            }
            registry.release(name: old, of: container.id)
            do { try await networks.rename(container: container.id, to: name) } catch {
                log(record).warning("other containers know it by its old name", metadata: ["error": "\(error)"])
            }
            publish("rename", record, [("oldName", "/" + old)])
        }
    }

    private static func cannotRename(_ error: EngineError) -> EngineError {
        EngineError(error.kind, "Error when allocating new name: " + error.message)
    }

    /// Changes limits and the restart policy, of a running container too. Returns warnings.
    package func update(_ reference: String, _ changes: JSONValue) async throws -> [String] {
        let container = try find(reference)
        return try await container.operations.run { [self] in
            try checkExists(container)
            let record = container.record
            if let memory = changes["Memory"]?.int, memory != 0, memory < 6 << 20 {
                throw EngineError.invalidArgument("Minimum memory limit allowed is 6MB")
            }
            var changed = try Self.apply(changes, to: record.hostConfig, refusal: Self.refusal(record))
            if record.hostConfig.autoRemove, !["", "no"].contains(changed.restartPolicy.name) {
                throw EngineError.conflict(
                    Self.refusal(record)
                        + "Restart policy cannot be updated because AutoRemove is enabled for the container")
            }
            try ContainerValidation(
                config: record.config, host: changed, facts: host, runtimes: configuration.runtimes.map { $0.name }
            ).checkLimits()
            let isWeightDiscarded = !weighsBlockIO && changed.number("BlkioWeight") != 0
            if isWeightDiscarded { changed.set("BlkioWeight", .int(0)) }
            if record.state.isRunning {
                let old = SpecBuilder.limits(record.hostConfig)
                var limits = SpecBuilder.limits(changed)
                if limits["pids"] == nil, old["pids"] != nil { limits.set("pids", ["limit": -1]) }
                if limits != old {
                    do { try await setLimits(container, limits) } catch let error as EngineError {
                        throw EngineError(error.kind, Self.refusal(record) + error.message)
                    }
                }
            }
            let saved = container.update { $0.hostConfig = changed }
            try container.store { (record) throws in try store.save(record) }
            publish("update", saved)
            return isWeightDiscarded ? [Self.weightWarning] : []
        }
    }

    /// Whether some I/O scheduler of this host's kernel takes a weight of block I/O.
    var weighsBlockIO: Bool {
        host.usesUnifiedCgroups
            || ["weight", "bfq.weight"].contains { exists(FilePath("/sys/fs/cgroup/blkio/blkio.\($0)")) }
    }

    static let weightWarning =
        "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded."

    static let deviceWeightWarning =
        "Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded."

    private static func refusal(_ record: ContainerRecord) -> String { "Cannot update container \(record.id): " }

    /// Needs a runtime that has `update`.
    private func setLimits(_ container: Container, _ limits: JSONValue) async throws {
        do {
            try await supervisor.updateTask(container.id, resources: limits.bytes())
        } catch let error as EngineError where error.message.contains("No help topic for 'update'") {
            throw EngineError.unimplemented("the limits of a running container cannot be changed with this runtime yet")
        }
    }

    private static let numbers = [
        "CpuShares", "Memory", "NanoCpus", "CpuPeriod", "CpuQuota", "CpuRealtimePeriod", "CpuRealtimeRuntime",
        "MemoryReservation", "MemorySwap", "BlkioWeight",
    ]

    /// What cannot be changed as it stands in `host` now; nil if all can.
    private static func conflict(_ wanted: HostConfig, _ host: HostConfig) -> String? {
        for (field, name) in [("CpuPeriod", "CPU Period"), ("CpuQuota", "CPU Quota")] {
            if wanted.number("NanoCpus") > 0, wanted.number(field) > 0 {
                return "Conflicting options: Nano CPUs and \(name) cannot both be set"
            }
            if wanted.number("NanoCpus") > 0, host.number(field) > 0 {
                return "Conflicting options: Nano CPUs cannot be updated as \(name) has already been set"
            }
            if wanted.number(field) > 0, host.number("NanoCpus") > 0 {
                return "Conflicting options: \(name) cannot be updated as NanoCPUs has already been set"
            }
        }
        let memory = wanted.number("Memory")
        if memory != 0, wanted.number("MemorySwap") == 0, memory > host.number("MemorySwap") {
            return "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the "
                + "same time"
        }
        return nil
    }

    /// What is zero, empty or absent stays as it is.
    private static func apply(_ changes: JSONValue, to host: HostConfig, refusal: String) throws(EngineError)
        -> HostConfig
    {
        let wanted: HostConfig
        do throws(FieldError) { wanted = try HostConfig(json: changes) } catch {
            throw .invalidArgument("invalid JSON: " + error.message)
        }
        if wanted.number("Memory") != 0, wanted.number("Memory") < 6 << 20 {
            throw .invalidArgument("Minimum memory limit allowed is 6MB")
        }
        if let conflict = conflict(wanted, host) { throw .conflict(refusal + conflict) }
        var result = host
        for field in numbers where wanted.number(field) != 0 { result.set(field, wanted[field]) }
        for field in ["CpusetCpus", "CpusetMems"] where !wanted.text(field).isEmpty { result.set(field, wanted[field]) }
        if let pids = wanted["PidsLimit"].int { result.set("PidsLimit", .int(max(0, pids))) }
        if !wanted.restartPolicy.name.isEmpty { result.set("RestartPolicy", wanted.restartPolicy.json) }
        return result
    }
}
