// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem
import Networking

/// Named and anonymous volumes of the `local` driver: directories `<data-root>/volumes/<name>/_data`.
///
/// A container's use of a volume is recorded from its creation to its removal, so a volume that any container has,
/// running or not, is not removed. Work happens in order on one thread of its own, since it blocks on the disk.
package actor VolumeService {
    private let thread = SerialThread("swrun.volumes")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    package let directory: FilePath
    private let databasePath: FilePath
    private var opened: VolumeStore?

    package init(dataRoot: FilePath) {
        directory = dataRoot / "volumes"
        databasePath = dataRoot / "engine/volumes.db"
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
        try LocalDriverOptions.check(volume.options ?? [:])
        try makeVolumeDirectory(volume.name)
        try store.insert(volume)
        return volume
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
    package func remove(_ name: String, force: Bool = false) throws(EngineError) {
        let store = try store()
        guard try store.find(name) != nil else {
            if force { return }
            throw .notFound("get \(name): no such volume")
        }
        let users = try store.users(of: name)
        guard users.isEmpty else {
            throw .conflict("remove \(name): volume is in use - [\(users.joined(separator: ", "))]")
        }
        try delete(name, store)
    }

    /// Removes unused volumes, only anonymous ones unless `all`; returns their names and how many bytes that freed.
    package func prune(
        all: Bool, matching: @Sendable (VolumeRecord) -> Bool
    ) throws(EngineError) -> (names: [String], bytes: Int64) {
        let store = try store()
        let used = try store.used()
        var names: [String] = []
        var bytes: Int64 = 0
        for volume in try store.list() where (all || volume.isAnonymous) && !used.contains(volume.name) {
            guard matching(volume) else { continue }
            let size = DirectorySize.bytes(directory / volume.name)
            try delete(volume.name, store)
            names.append(volume.name)
            bytes += size
        }
        return (names, bytes)
    }

    /// The bytes that a volume's files take; -1 if it is not on this host's data root.
    package func size(_ name: String) -> Int64 { DirectorySize.bytes(dataDirectory(name)) }

    /// The directory that containers see and that `inspect` names.
    package nonisolated func dataDirectory(_ name: String) -> FilePath { directory / name / "_data" }

    // MARK: For containers

    /// Makes the volume if needed and records that the container has it. `name` nil makes an anonymous volume.
    package func use(_ name: String?, by container: String) throws(EngineError) -> VolumeMount {
        let volume = try create(name: name)
        try store().addUse(volume.name, by: container)
        return try mount(volume)
    }

    /// Where a volume that exists is, e.g. at a container's later starts.
    package func mount(_ name: String) throws(EngineError) -> VolumeMount { try mount(try inspect(name)) }

    /// Copies what an image has at `path` into the volume, if the volume is still empty. `mountOptions` are those of the
    /// overlay snapshot that the container runs on; nothing has been written to it yet.
    package func populate(_ name: String, path: String, mountOptions: [String]) throws(EngineError) {
        let mount = try mount(name)
        guard mount.isEmpty else { return }
        do throws(SysError) {
            try ImageContent.copy(layers: ImageContent.layers(options: mountOptions), path: path, into: mount.source)
        } catch {
            throw .internal("copy the image's \(path) into volume \(name): \(error.description)")
        }
    }

    /// Forgets a removed container's uses; with `removingAnonymous` (`rm -v`, `--rm`) its anonymous volumes go too,
    /// unless another container has them.
    package func release(container: String, removingAnonymous: Bool) throws(EngineError) {
        let store = try store()
        let names = try store.volumes(of: container)
        try store.removeUses(by: container)
        guard removingAnonymous else { return }
        for name in names {
            guard let volume = try store.find(name), volume.isAnonymous, try store.users(of: name).isEmpty else {
                continue
            }
            try delete(name, store)
        }
    }

    /// At the daemon's start: uses by containers that are no longer known are forgotten, and directories without a
    /// record (a creation or removal that was cut short) are removed.
    package func reconcile(containers: Set<String>) throws(EngineError) {
        let store = try store()
        for container in try store.users().subtracting(containers) { try store.removeUses(by: container) }
        let known = Set(try store.list().map(\.name))
        for name in (try? listDirectory(directory)) ?? [] where !known.contains(name) && VolumeName.isValid(name) {
            // Only what is surely a left-over of ours: a directory of that shape without any file in it.
            if DirectorySize.isEmpty(dataDirectory(name)) { try? removeTree(directory / name) }
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
        let source = LocalDriverOptions.bindSource(volume.options ?? [:]) ?? dataDirectory(volume.name)
        return VolumeMount(name: volume.name, source: source, isEmpty: DirectorySize.isEmpty(source))
    }

    /// The directory before the record: a crash in between leaves an empty directory, which `reconcile` removes.
    private func makeVolumeDirectory(_ name: String) throws(EngineError) {
        do throws(SysError) {
            try makeDirectories(directory, mode: 0o701)
            try makeDirectory(directory / name, mode: 0o701)
            try makeDirectory(dataDirectory(name), mode: 0o755)
            try syncDirectory(directory / name)
            try syncDirectory(directory)
        } catch {
            throw .internal("create \(name): \(error.description)")
        }
    }

    /// The record first: what is then left of the directory can only be removed, never be used again.
    private func delete(_ name: String, _ store: VolumeStore) throws(EngineError) {
        try store.delete(name)
        do throws(SysError) { try removeTree(directory / name) } catch {
            throw .internal("remove \(name): \(error.description)")
        }
    }
}
