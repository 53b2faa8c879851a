// SPDX-License-Identifier: Apache-2.0
import DockerAPI
package import LinuxSystem
import Networking
package import Threads

/// Named and anonymous volumes of the `local` driver: directories `<data-root>/volumes/<name>/_data`.
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
    private var opened: VolumeStore?
    /// Copies of image content under way, by volume.
    var populations: [String: Task<Void, any Error>] = [:]
    /// Which running containers use the volumes that are mounts of their own, and the mounts made for them.
    var holders: [String: Set<String>] = [:]
    var mounting: [String: Task<Void, any Error>] = [:]
    /// The removal of what earlier removals left.
    private(set) var sweep: Task<Void, Never>?

    /// - Parameter owner: whom new volumes belong to.
    package init(
        dataRoot: FilePath, owner: FileOwner = .root, pool: BlockingPool = BlockingPool(), events: EventHub = EventHub()
    ) {
        self.events = events
        directories = VolumeDirectories(root: dataRoot / "volumes", owner: owner)
        databasePath = dataRoot / "engine/volumes.db"
        self.pool = pool
    }

    /// Makes a volume; one of this name that exists is returned as it is, as docker does.
    /// `name` nil or empty makes an anonymous one.
    @discardableResult
    package func create(
        name: String? = nil, driver: String = "local", labels: [String: String]? = nil,
        options: [String: String]? = nil
    ) throws(EngineError) -> VolumeRecord {
        let store = try store()
        var volume = VolumeRecord(name: name ?? "", created: .now, labels: labels, options: options)
        if volume.options?.isEmpty == true { volume.options = nil }
        if volume.name.isEmpty {
            volume.name = randomIdentifier()
            volume.labels = (labels ?? [:]).merging([VolumeRecord.anonymousLabel: ""]) { $1 }
        }
        guard driver == "local" || driver.isEmpty else {
            throw .notFound(
                "create \(volume.name): error looking up volume plugin \(driver): plugin \"\(driver)\" not found")
        }
        try VolumeName.check(volume.name)
        if let existing = try store.find(volume.name) { return existing }
        do throws(EngineError) { try LocalDriverOptions.check(volume.options ?? [:]) } catch {
            throw EngineError(error.kind, "create \(volume.name): \(error.message)")
        }
        try makeDirectory(volume.name)
        do throws(EngineError) { try store.insert(volume) } catch {
            directories.removeIfEmpty(volume.name)
            throw error
        }
        publish("create", volume.name)
        return volume
    }

    private func publish(_ action: String, _ name: String) {
        events.publish(type: .volume, action: action, id: name, attributes: [("driver", "local")])
    }

    package func inspect(_ name: String) throws(EngineError) -> VolumeRecord {
        guard let volume = try store().find(name) else { throw .notFound("get \(name): no such volume") }
        return volume
    }

    package func list() throws(EngineError) -> [VolumeRecord] { try store().list() }

    /// The names of the volumes that no container has.
    package func unused() throws(EngineError) -> Set<String> {
        let used = try store().used()
        return Set(try store().list().map(\.name)).subtracting(used)
    }

    /// How many containers have each volume; volumes without any are not in it.
    package func useCounts() throws(EngineError) -> [String: Int] { try store().useCounts() }

    /// Removes a volume that no container has. With `force` a missing one is fine.
    package func remove(_ name: String, force: Bool = false) async throws(EngineError) {
        let store = try store()
        guard try store.find(name) != nil else {
            if force { return }
            throw .notFound("get \(name): no such volume")
        }
        let users = try store.users(of: name)
        guard users.isEmpty else {
            throw .conflict("remove \(name): volume is in use - [\(users.joined(separator: ", "))]")
        }
        try await erase(try setAside(name, store), of: name)
    }

    /// Removes unused volumes, only anonymous ones unless `all`; returns their names and how many bytes that freed. One
    /// that cannot be removed does not keep the others; its error comes at the end.
    package func prune(
        all: Bool, matching: @Sendable (VolumeRecord) -> Bool
    ) async throws(EngineError) -> (names: [String], bytes: Int64) {
        let store = try store()
        var names: [String] = []
        var bytes: Int64 = 0
        var failure: EngineError?
        for volume in try store.list() where (all || volume.isAnonymous) && matching(volume) {
            // Looked up again each time: others come and go while a tree is removed.
            guard try store.find(volume.name) != nil, try store.users(of: volume.name).isEmpty else { continue }
            do throws(EngineError) {
                let size = try await erase(try setAside(volume.name, store), of: volume.name)
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
        let volume = try create(name: name)
        try store().addUse(volume.name, by: container)
        return try await mount(volume.name)
    }

    /// Where a volume that exists is, e.g. at a container's later starts; once it holds what is being copied into it.
    package func mount(_ name: String) async throws(EngineError) -> VolumeMount {
        while let population = populations[name] { _ = await population.result }
        return try mount(try inspect(name))
    }

    /// Forgets a removed container's uses; with `removingAnonymous` (`rm -v`, `--rm`) its anonymous volumes go too,
    /// unless another container has them.
    package func release(container: String, removingAnonymous: Bool) async throws(EngineError) {
        let store = try store()
        let names = try store.volumes(of: container)
        try store.removeUses(by: container)
        guard removingAnonymous else { return }
        for name in names {
            guard let volume = try store.find(name), volume.isAnonymous, try store.users(of: name).isEmpty else {
                continue
            }
            try await erase(try setAside(name, store), of: name)
        }
    }

    /// At the daemon's start: uses by containers that are no longer known are forgotten, removals that were cut short
    /// are ended, and so are creations.
    package func reconcile(containers: Set<String>, running: Set<String> = []) throws(EngineError) {
        let store = try store()
        try adoptMounts(of: running, store)
        for container in try store.users().subtracting(containers) { try store.removeUses(by: container) }
        let leftOvers = directories.leftOvers()
        for name in leftOvers.flatMap({ (try? listDirectory($0)) ?? [] }) where !exists(directories.volume(name)) {
            try store.delete(name)  // the directory was on its way out, and the record was to follow
        }
        let known = Set(try store.list().map(\.name))
        for name in directories.volumes() where !known.contains(name) { directories.removeIfEmpty(name) }
        // Owned by the service: ends with the trees. One that cannot be removed is tried again at the next start.
        sweep = Task { [pool] in
            for path in leftOvers { try? await pool.run { try removeTree(path) } }
        }
    }

    // MARK: Parts

    private func store() throws(EngineError) -> VolumeStore {
        if let opened { return opened }
        let store = try VolumeStore(path: databasePath)
        opened = store
        return store
    }

    private func mount(_ volume: VolumeRecord) throws(EngineError) -> VolumeMount {
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
    private func setAside(_ name: String, _ store: VolumeStore) throws(EngineError) -> FilePath? {
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
        publish("destroy", name)
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
