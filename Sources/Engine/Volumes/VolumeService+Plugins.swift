// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Logging

// Volumes of plugins. What the plugin says counts, our records only tell whom to ask. Whatever asks a plugin about a volume
// waits for what was asked about it before, and for nothing else: one that hangs holds up nobody but those who want its
// volumes, and them for a bounded time.
extension VolumeService {
    /// Runs `body` when nobody else asks about the volume.
    func exclusively<R: Sendable>(
        _ name: String, _ body: @escaping @Sendable (isolated VolumeService) async throws -> R
    ) async throws(EngineError) -> R {
        while let other = asking[name] { await other.value }
        // Owned by `asking`, and ends with the work; who asked may have gone.
        let task = Task { try await body(self) }
        asking[name] = Task {
            _ = await task.result
            asking[name] = nil
        }
        do { return try await task.value } catch { throw EngineError(error) }
    }

    /// Makes a volume of any driver, or finds it.
    func createAsking(_ volume: VolumeRecord, by container: String?) async throws(EngineError) -> VolumeRecord {
        let store = try store()
        let name = volume.name
        if let existing = try store.find(name), try await isPresent(existing, for: volume.driver) {
            return try claim(existing, by: container)
        }
        if volume.driver.isEmpty, !volume.isAnonymous, let found = try await discover(name) {
            return try claim(found.record, by: container)
        }
        if volume.driver.isEmpty || volume.isLocal { return try claim(createLocal(volume), by: container) }
        do throws(EngineError) {
            let driver = try await plugins.driver(volume.driver)
            if try await answer(of: driver, { () throws(PluginError) in try await driver.find(name) }) == nil {
                try await answer(of: driver) { () throws(PluginError) in
                    try await driver.create(name, options: volume.options)
                }
            }
        } catch {
            throw EngineError(error.kind, "create \(name): \(error.message)")
        }
        try store.insert(volume)
        publish("create", volume)
        return try claim(volume, by: container)
    }

    /// Whether a volume that we know is still there, and of the driver that is asked for; an error if it is of another one.
    private func isPresent(_ existing: VolumeRecord, for driver: String) async throws(EngineError) -> Bool {
        let name = existing.name
        func clash(_ text: String) -> EngineError {
            .conflict("create \(name): \(text): volume name must be unique")
        }
        let isPresent: Bool
        do throws(EngineError) { isPresent = try await lookUp(existing) != nil } catch {
            throw clash(
                "found reference to volume '\(name)' in driver '\(existing.driver)', but got an error while checking the "
                    + "driver: \(error.message)")
        }
        if isPresent {
            if driver.isEmpty || driver == existing.driver { return true }
            throw clash("driver '\(existing.driver)' already has volume '\(name)'")
        }
        guard try store().users(of: name).isEmpty else {
            throw clash(
                "found references to volume '\(name)' in driver '\(existing.driver)' but the volume was not found in the "
                    + "driver -- you may need to remove containers referencing this volume or force remove the volume to "
                    + "re-create it")
        }
        try store().delete(name)
        return false
    }

    /// What is to be shown of a volume that we know; nil if its plugin no longer has it.
    func lookUp(_ volume: VolumeRecord) async throws(EngineError) -> VolumeDescription? {
        if volume.isLocal { return describe(volume) }
        let name = volume.name
        do throws(EngineError) {
            let driver = try await plugins.driver(volume.driver)
            let found = try await answer(of: driver) { () throws(PluginError) in try await driver.find(name) }
            return found.map { describe(volume, $0, driver) }
        } catch {
            throw EngineError(
                error.kind,
                "error while checking if volume \"\(name)\" exists in driver \"\(volume.driver)\": \(error.message)")
        }
    }

    /// Asks all plugins for a volume that we do not know, and remembers whose it is.
    func discover(_ name: String) async throws(EngineError) -> VolumeDescription? {
        for driver in await plugins.all() {
            guard let found = try? await driver.find(name, isPatient: false) else { continue }
            let volume = VolumeRecord(name: name, driver: driver.name, created: .now)
            if try store().find(name) == nil { try store().insert(volume) }
            return describe(volume, found, driver)
        }
        return nil
    }

    /// The volumes of all plugins, or those of some; and why some could not be asked.
    func listPlugins(
        _ isWanted: @escaping @Sendable (_ driver: String) -> Bool
    ) async throws(EngineError) -> (volumes: [VolumeDescription], warnings: [String]) {
        let drivers = await plugins.all().filter { isWanted($0.name) }
        typealias Answer = (driver: VolumePlugin, list: Result<[VolumePlugin.Volume], PluginError>)
        let answers = await withTaskGroup(of: Answer.self) { group in
            for driver in drivers {
                group.addTask {
                    do throws(PluginError) { return (driver, .success(try await driver.list())) } catch {
                        return (driver, .failure(error))
                    }
                }
            }
            return await group.reduce(into: [Answer]()) { $0.append($1) }
        }
        let records = Dictionary(try list().map { ($0.name, $0) }) { $1 }
        var volumes: [VolumeDescription] = []
        var warnings: [String] = []
        for (driver, result) in answers {
            switch result {
            case .success(let found):
                for volume in found {
                    let record =
                        records[volume.name] ?? VolumeRecord(name: volume.name, driver: driver.name, created: .now)
                    if record.driver == driver.name { volumes.append(describe(record, volume, driver)) }
                }
            case .failure(let error):
                warnings.append("list \(driver.name): \(error.message)")
                volumes += records.values.filter { $0.driver == driver.name }.map { describe($0) }
            }
        }
        return (volumes, warnings)
    }

    /// Has the plugin remove a volume that no container has. With `force` we forget it even if the plugin does not.
    func removeFromPlugin(_ name: String, force: Bool) async throws(EngineError) {
        guard let volume = try store().find(name) else { return }
        try requireUnused(name)
        do throws(EngineError) {
            guard try await lookUp(volume) != nil else {
                try store().delete(name)
                if force { return }
                throw EngineError.notFound("get \(name): no such volume")
            }
            let driver = try await plugins.driver(volume.driver)
            do throws(EngineError) {
                try await answer(of: driver) { () throws(PluginError) in try await driver.remove(name) }
            } catch {
                throw EngineError(error.kind, "remove \(name): \(error.message)")
            }
        } catch {
            guard force else { throw error }
        }
        try requireUnused(name)
        try store().delete(name)
        publish("destroy", volume)
    }

    /// One that cannot be reached is looked up again the next time.
    func answer<R: Sendable>(
        of driver: VolumePlugin, _ question: () async throws(PluginError) -> R
    ) async throws(EngineError) -> R {
        do throws(PluginError) { return try await question() } catch {
            if error.reason == .unreachable { plugins.forget(driver.name) }
            throw .internal(error.message)
        }
    }

    // MARK: Mounts

    /// Has the plugin mount the volume for a container, once for all places where the container has it.
    func mountByPlugin(_ volume: VolumeRecord, for container: String) async throws(EngineError) -> VolumeMount {
        let name = volume.name
        if let path = pluginMounts[name]?[container] { return VolumeMount(name: name, source: path) }
        try store().addMount(of: name, for: container)  // first, so that whatever happens it is unmounted
        do throws(EngineError) {
            let driver = try await plugins.driver(volume.driver)
            let path = try await answer(of: driver) { () throws(PluginError) in
                try await driver.mount(name, for: container)
            }
            guard path.hasPrefix("/") else {
                throw .internal("VolumeDriver.Mount: plugin \(volume.driver) answered no absolute path: \"\(path)\"")
            }
            pluginMounts[name, default: [:]][container] = FilePath(path)
            return VolumeMount(name: name, source: FilePath(path))
        } catch {
            try? store().removeMount(of: name, for: container)
            throw .internal("error while mounting volume '\(name)': \(error.message)")
        }
    }

    /// The container no longer uses the volume. Each mount is undone once; a failure is tried again at the next start of
    /// the daemon.
    func unmountByPlugin(_ name: String, for container: String) async {
        guard pluginMounts[name]?.removeValue(forKey: container) != nil else { return }
        if pluginMounts[name]?.isEmpty == true { pluginMounts[name] = nil }
        do throws(EngineError) {
            if let volume = try store().find(name) {
                let driver = try await plugins.driver(volume.driver)
                try await answer(of: driver) { () throws(PluginError) in
                    try await driver.unmount(name, for: container)
                }
            }
            try store().removeMount(of: name, for: container)
        } catch {
            logger?.warning(
                "volume not unmounted",
                metadata: ["op": "VolumeDriver.Unmount", "container": "\(container)", "error": "\(name): \(error)"])
        }
    }
}
