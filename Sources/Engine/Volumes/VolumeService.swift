// SPDX-License-Identifier: Apache-2.0
import DockerAPI
package import LinuxSystem
package import Logging
import Networking
package import Threads

/// Named and anonymous volumes: of the `local` driver, which are directories `<data-root>/volumes/<name>/_data`, and of
/// plugins.
///
/// A container's use of a volume is recorded from its creation to its removal, so a volume that any container has,
/// running or not, is not removed. Records are read and written in order on one thread of its own, since SQLite blocks
/// on the disk. What takes as long as a volume is large (sizes, removals, copies) is done by a pool, and holds up nobody
/// but those who asked for it and those who want the volume that is being filled.
package actor VolumeService {
    private let thread = SerialThread("swrun.volumes")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let directories: VolumeDirectories
    private let databasePath: FilePath
    private let pool: BlockingPool
    private let events: EventHub
    let plugins: VolumePlugins
    let logger: Logger?
    private var opened: VolumeStore?
    /// Copies of image content under way, by volume.
    var populations: [String: Task<Void, any Error>] = [:]
    /// Which running containers use the volumes that are mounts of their own, and the mounts made for them.
    var holders: [String: Set<String>] = [:]
    var mounting: [String: Task<Void, any Error>] = [:]
    /// Where plugins have mounted their volumes, by volume and by the container that it was done for.
    var pluginMounts: [String: [String: FilePath]] = [:]
    /// What plugins are being asked, by volume.
    var asking: [String: Task<Void, Never>] = [:]
    /// The removal of what earlier removals left.
    private(set) var sweep: Task<Void, Never>?

    /// - Parameter owner: whom new volumes belong to.
    package init(
        dataRoot: FilePath, owner: FileOwner = .root, pool: BlockingPool = BlockingPool(),
        plugins: VolumePlugins = VolumePlugins(Plugins(directories: [])), events: EventHub = EventHub(),
        logger: Logger? = nil
    ) {
        self.plugins = plugins
        self.logger = logger
        self.events = events
        directories = VolumeDirectories(root: dataRoot / "volumes", owner: owner)
        databasePath = dataRoot / "engine/volumes.db"
        self.pool = pool
    }

    /// Makes a volume; one of this name that exists is returned as it is, as docker does.
    ///
    /// - Parameters:
    ///   - name: nil or empty makes an anonymous one.
    ///   - driver: empty takes a volume of any driver that exists, or makes a local one.
    ///   - container: has it from now on.
    @discardableResult
    package func create(
        name: String? = nil, driver: String = "", labels: [String: String]? = nil, options: [String: String]? = nil,
        by container: String? = nil
    ) async throws(EngineError) -> VolumeRecord {
        let store = try store()
        var volume = VolumeRecord(
            name: name ?? "", driver: driver, created: .now, labels: labels, options: options)
        if volume.options?.isEmpty == true { volume.options = nil }
        if volume.name.isEmpty {
            volume.name = randomIdentifier()
            volume.labels = (labels ?? [:]).merging([VolumeRecord.anonymousLabel: ""]) { $1 }
        }
        let existing = try store.find(volume.name)
        let isLocal = driver.isEmpty ? existing?.isLocal ?? volume.isAnonymous : volume.isLocal
        guard isLocal, existing?.isLocal ?? true, asking[volume.name] == nil else {
            let wanted = volume
            return try await exclusively(volume.name) { try await $0.createAsking(wanted, by: container) }
        }
        if let existing { return try claim(existing, by: container) }
        return try claim(try createLocal(volume), by: container)
    }

    func claim(_ volume: VolumeRecord, by container: String?) throws(EngineError) -> VolumeRecord {
        if let container { try store().addUse(volume.name, by: container) }
        return volume
    }

    func createLocal(_ wanted: VolumeRecord) throws(EngineError) -> VolumeRecord {
        let store = try store()
        var volume = wanted
        volume.driver = VolumeRecord.localDriver
        try VolumeName.check(volume.name)
        do throws(EngineError) { try LocalDriverOptions.check(volume.options ?? [:]) } catch {
            throw EngineError(error.kind, "create \(volume.name): \(error.message)")
        }
        try makeDirectory(volume.name)
        do throws(EngineError) { try store.insert(volume) } catch {
            directories.removeIfEmpty(volume.name)
            throw error
        }
        publish("create", volume)
        return volume
    }

    func publish(_ action: String, _ volume: VolumeRecord) {
        events.publish(type: .volume, action: action, id: volume.name, attributes: [("driver", volume.driver)])
    }

    /// What is to be shown of a volume. One of a plugin is asked for; one that nobody here knows may be any plugin's.
    package func inspect(_ name: String) async throws(EngineError) -> VolumeDescription {
        if let volume = try store().find(name) {
            if volume.isLocal { return describe(volume) }
            if let found = try await exclusively(name, { try await $0.lookUp(volume) }) { return found }
            if try store().users(of: name).isEmpty { try store().delete(name) }
        } else if let found = try await exclusively(name, { try await $0.discover(name) }) {
            return found
        }
        throw .notFound("get \(name): no such volume")
    }

    /// The volumes that we know.
    package func list() throws(EngineError) -> [VolumeRecord] { try store().list() }

    /// All volumes, or those of some drivers, plugins' that we do not know among them; and why some plugins could not be
    /// asked.
    package func survey(
        _ isWanted: @escaping @Sendable (_ driver: String) -> Bool
    ) async throws(EngineError) -> (volumes: [VolumeDescription], warnings: [String]) {
        var (volumes, warnings) = try await listPlugins(isWanted)
        if isWanted(VolumeRecord.localDriver) { volumes += try list().filter(\.isLocal).map { describe($0) } }
        return (volumes.sorted { $0.record.name < $1.record.name }, warnings)
    }

    /// The names of the volumes that containers have.
    package func used() throws(EngineError) -> Set<String> { try store().used() }

    /// How many containers have each volume; volumes without any are not in it.
    package func useCounts() throws(EngineError) -> [String: Int] { try store().useCounts() }

    /// Removes a volume that no container has. With `force` a missing one is fine.
    package func remove(_ name: String, force: Bool = false) async throws(EngineError) {
        let store = try store()
        var known = try store.find(name)
        if known == nil { known = try await exclusively(name) { try await $0.discover(name) }?.record }
        guard let volume = known else {
            if force { return }
            throw .notFound("get \(name): no such volume")
        }
        try requireUnused(name)
        if volume.isLocal {
            try await erase(try setAside(volume, store), of: name)
        } else {
            try await exclusively(name) { try await $0.removeFromPlugin(name, force: force) }
        }
    }

    func requireUnused(_ name: String) throws(EngineError) {
        let users = try store().users(of: name)
        guard users.isEmpty else {
            throw .conflict("remove \(name): volume is in use - [\(users.joined(separator: ", "))]")
        }
    }

    /// Removes unused directories of ours (no mounts of other file systems, which hold no space here), only anonymous ones
    /// unless `all`; returns their names and how many bytes that freed. One
    /// that cannot be removed does not keep the others; its error comes at the end.
    package func prune(
        all: Bool, matching: @Sendable (VolumeRecord) -> Bool
    ) async throws(EngineError) -> (names: [String], bytes: Int64) {
        let store = try store()
        var names: [String] = []
        var bytes: Int64 = 0
        var failure: EngineError?
        for volume in try store.list()
        where volume.isLocal && volume.options == nil && (all || volume.isAnonymous) && matching(volume) {
            // Looked up again each time: others come and go while a tree is removed.
            guard try store.find(volume.name) != nil, try store.users(of: volume.name).isEmpty else { continue }
            do throws(EngineError) {
                let size = try await erase(try setAside(volume, store), of: volume.name)
                names.append(volume.name)
                bytes = bytes.addingSaturating(size)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return (names, bytes)
    }

    /// The bytes that a volume's files take in the data root; 0 if it is elsewhere.
    package nonisolated func size(_ name: String) async -> Int64 {
        let path = dataDirectory(name)
        return (try? await pool.run { try treeUsage(path).lengths }) ?? 0
    }

    /// The directory that containers see and that `inspect` names.
    package nonisolated func dataDirectory(_ name: String) -> FilePath { directories.data(name) }

    // MARK: For containers

    /// Makes the volume if needed and records that the container has it. `name` nil makes an anonymous volume.
    package func use(_ name: String?, by container: String) async throws(EngineError) -> VolumeMount {
        try await mount(try await create(name: name, by: container).name)
    }

    /// Where a volume that exists is, e.g. at a container's later starts; once it holds what is being copied into it.
    package func mount(_ name: String) async throws(EngineError) -> VolumeMount {
        while let population = populations[name] { _ = await population.result }
        return try mount(try record(name))
    }

    /// What we know of a volume that a container has.
    func record(_ name: String) throws(EngineError) -> VolumeRecord {
        guard let volume = try store().find(name) else { throw .notFound("get \(name): no such volume") }
        return volume
    }

    /// Forgets a removed container's uses; with `removingAnonymous` (`rm -v`, `--rm`) its anonymous volumes go too,
    /// unless another container has them.
    package func release(container: String, removingAnonymous: Bool) async throws(EngineError) {
        let store = try store()
        let names = try store.volumes(of: container)
        try store.removeUses(by: container)
        guard removingAnonymous else { return }
        var failure: EngineError?
        for name in names {
            guard try store.find(name)?.isAnonymous == true, try store.users(of: name).isEmpty else { continue }
            do throws(EngineError) { try await remove(name) } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    /// At the daemon's start: uses by containers that are no longer known are forgotten, removals that were cut short
    /// are ended, and so are creations.
    package func reconcile(containers: Set<String>, running: Set<String> = []) throws(EngineError) {
        let store = try store()
        try adoptMounts(of: running, store)
        for container in try store.users().subtracting(containers) { try store.removeUses(by: container) }
        let leftOvers = directories.leftOvers()
        for name in leftOvers.flatMap({ (try? listDirectory($0)) ?? [] }) where !exists(directories.volume(name)) {
            // The directory was on its way out, and the record was to follow; by now a plugin may have the name.
            if try store.find(name)?.isLocal == true { try store.delete(name) }
        }
        let known = Set(try store.list().map(\.name))
        for name in directories.volumes() where !known.contains(name) { directories.removeIfEmpty(name) }
        let ended = try store.mounts().filter { !running.contains($0.container) }
        // Owned by the service: ends with the trees. One that cannot be removed is tried again at the next start.
        sweep = Task { [pool] in
            for mount in ended { await unmountByPlugin(mount.volume, for: mount.container) }
            for path in leftOvers { try? await pool.run { try removeTree(path) } }
        }
    }

    // MARK: Parts

    func store() throws(EngineError) -> VolumeStore {
        if let opened { return opened }
        let store = try VolumeStore(path: databasePath)
        opened = store
        return store
    }

    /// What is to be shown of a volume of ours; of a plugin's only with the plugin's answer, if there is one.
    package func describe(_ volume: VolumeRecord) -> VolumeDescription { describe(volume, nil, nil) }

    func describe(
        _ volume: VolumeRecord, _ found: VolumePlugin.Volume?, _ driver: VolumePlugin?
    ) -> VolumeDescription {
        if volume.isLocal {
            return VolumeDescription(
                record: volume, created: Timestamp(nanoseconds: volume.created.seconds * 1_000_000_000).rfc3339(),
                mountpoint: dataDirectory(volume.name).string)
        }
        let mounted = pluginMounts[volume.name]?.values.first?.string ?? ""
        return VolumeDescription(
            record: volume, created: found?.created ?? VolumePlugin.unknownTime,
            mountpoint: found?.mountpoint ?? mounted, scope: driver?.scope ?? "local", status: found?.status)
    }

    private func mount(_ volume: VolumeRecord) throws(EngineError) -> VolumeMount {
        guard volume.isLocal else {
            return VolumeMount(name: volume.name, source: pluginMounts[volume.name]?.values.first ?? FilePath(""))
        }
        guard let request = LocalDriverOptions.request(volume.options ?? [:]), request.isBind else {
            return VolumeMount(name: volume.name, source: dataDirectory(volume.name))
        }
        return VolumeMount(name: volume.name, source: FilePath(request.device), isReadOnly: request.isReadOnly)
    }

    /// The directory before the record: a crash in between leaves an empty directory, which `reconcile` removes.
    private func makeDirectory(_ name: String) throws(EngineError) {
        do throws(SysError) { try directories.make(name) } catch {
            throw .internal("create \(name): \(error.description)")
        }
    }

    /// From here on the volume does not exist. The directory goes first, to where it is no volume's: a crash before the
    /// record follows is repaired by `reconcile`. Returns what `erase` is to remove.
    private func setAside(_ volume: VolumeRecord, _ store: VolumeStore) throws(EngineError) -> FilePath? {
        let name = volume.name
        let aside: FilePath?
        do throws(SysError) {
            try unmountAll(directories.data(name))  // or the files of another file system would be removed
            aside = try directories.setAside(name, String(randomIdentifier().prefix(16)))
        } catch {
            throw .internal("remove \(name): \(error.description)")
        }
        do throws(EngineError) { try store.delete(name) } catch {
            if let aside { directories.putBack(name, from: aside) }
            throw error
        }
        publish("destroy", volume)
        return aside
    }

    /// Removes a tree that was set aside; returns how many bytes it held.
    @discardableResult
    private func erase(_ aside: FilePath?, of name: String) async throws(EngineError) -> Int64 {
        guard let aside else { return 0 }
        do {
            return try await pool.run {
                let size = (try? treeUsage(aside).lengths) ?? 0
                try removeTree(aside)
                return size
            }
        } catch {
            throw .internal("remove \(name): \(EngineError(error).message)")
        }
    }
}
