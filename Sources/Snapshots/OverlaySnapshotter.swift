// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem
package import Metadata

/// The overlay driver: each snapshot is a directory `<root>/<id>/fs`, with `<root>/<id>/work` for overlay's own use.
///
/// A mount of several layers is an overlay; of a single directory it is a bind mount, since an overlay needs two.
package struct OverlaySnapshotter: Snapshotter {
    package let root: FilePath
    private let records: SnapshotRecords
    /// Whom the root of a tree without layers belongs to.
    private let owner: FileOwner

    package var name: String { "overlayfs" }

    /// Opens the driver's tree below `root` and removes what crashes left behind.
    package init(root: FilePath, database: Database, owner: FileOwner = .root) throws {
        self.root = root
        self.owner = owner
        records = try SnapshotRecords(database)
        try LinuxSystem.makeDirectories(root, mode: 0o711)
        try sys("chmod", root.string) { chmod(root.string, 0o700) }
        spreadSubdirectories(of: root)
        try records.dropUnflushed(currentBoot: Self.bootID())
        try cleanup()
    }

    package func stat(_ namespace: String, _ key: String) throws -> SnapshotInfo {
        told(try records.get(namespace, key))
    }

    package func updateLabels(
        _ namespace: String, _ key: String, _ change: (inout Labels) -> Void
    ) throws -> SnapshotInfo {
        told(try records.updateLabels(namespace, key, change))
    }

    package func list(_ namespace: String) throws -> [SnapshotInfo] { try records.list(namespace).map(told) }

    /// With the label by which containerd's overlay driver tells the snapshot's directory (`upperdir_label`).
    private func told(_ record: SnapshotRecord) -> SnapshotInfo {
        var info = record.info
        info.labels["containerd.io/snapshot/overlay.upperdir"] = upper(record.id).string
        return info
    }

    package func usage(_ namespace: String, _ key: String) throws -> SnapshotUsage {
        let record = try records.get(namespace, key)
        switch record.info.kind {
        case .committed: return record.usage
        case .active: return SnapshotUsage(try treeUsage(upper(record.id)))
        case .view: return SnapshotUsage(bytes: 0, inodes: 0)
        }
    }

    package func mounts(_ namespace: String, _ key: String) throws -> [SnapshotMount] {
        try records.database.read { transaction in
            let record = try records.get(transaction, namespace, key)
            guard record.info.kind != .committed else {
                throw ServiceError(
                    .failedPrecondition, "requested snapshot \(key) not active or view: failed precondition")
            }
            return mounts(record, below: try records.ancestors(transaction, of: record.parentID))
        }
    }

    package func prepare(
        _ namespace: String, _ key: String, parent: String, labels: Labels
    ) throws -> [SnapshotMount] {
        try create(namespace, key, .active, parent, labels)
    }

    package func view(
        _ namespace: String, _ key: String, parent: String, labels: Labels
    ) throws -> [SnapshotMount] {
        try create(namespace, key, .view, parent, labels)
    }

    package func commit(
        _ namespace: String, name: String, key: String, labels: Labels, durability: SnapshotDurability
    ) throws {
        let directory = upper(try records.get(namespace, key).id)
        let tree = try treeUsage(directory)
        if durability == .now { try syncFileSystem(directory) }
        let boot = durability == .now ? nil : try Self.bootID()
        try records.database.write {
            try records.commit(
                $0, namespace, name: name, key: key, labels: SizeLabel.adding(tree, to: labels),
                usage: SnapshotUsage(tree), unflushedBoot: boot)
        }
    }

    package func makeDurable(_ namespace: String, _ names: [String]) throws {
        let names = try records.unflushed(namespace, names)
        guard !names.isEmpty else { return }
        try syncFileSystem(root)
        try records.markFlushed(namespace, names)
    }

    package func remove(_ namespace: String, _ key: String) throws {
        let id: Int64
        do { id = try removeRecord(namespace, key) } catch let error as DatabaseError where error.isDiskFull {
            // On a full disk its files make the room that the change of the record needs.
            let record = try records.get(namespace, key)
            guard record.info.kind != .committed else { throw error }
            try removeTree(directory(record.id))
            id = try removeRecord(namespace, key)
        }
        try removeTree(directory(id))
    }

    private func removeRecord(_ namespace: String, _ key: String) throws -> Int64 {
        try records.database.write { try records.remove($0, namespace, key) }
    }

    package func cleanup() throws {
        // Directories are made before their record is committed, so the directories are listed first.
        let names = try listDirectory(root)
        let known = try records.allIDs()
        for name in names where !(Int64(name).map { known.contains($0) } ?? false) { try removeTree(root / name) }
    }
}

// MARK: Directories and mounts

extension OverlaySnapshotter {
    private func directory(_ id: Int64) -> FilePath { root / String(id) }

    private func upper(_ id: Int64) -> FilePath { directory(id) / "fs" }

    private func create(
        _ namespace: String, _ key: String, _ kind: SnapshotKind, _ parent: String, _ labels: Labels
    ) throws -> [SnapshotMount] {
        try records.database.write { transaction in
            let record = try records.create(
                transaction, namespace, key, kind: kind, parent: parent, labels: labels)
            let ancestors = try records.ancestors(transaction, of: record.parentID)
            try makeDirectories(record, below: ancestors)
            return mounts(record, below: ancestors)
        }
    }

    /// The root of an overlay shows the upper directory's owner and mode, so these come from the parent.
    private func makeDirectories(_ record: SnapshotRecord, below ancestors: [Int64]) throws(SysError) {
        let directory = directory(record.id)
        if LinuxSystem.exists(directory) { try removeTree(directory) }  // of a transaction that a crash undid
        try makeDirectory(directory, mode: 0o700)
        let upper = upper(record.id)
        try makeDirectory(upper, mode: 0o755)
        if record.info.kind == .active { try makeDirectory(directory / "work", mode: 0o711) }
        var (mode, owner): (mode_t, FileOwner) = (0o755, owner)
        if let parent = ancestors.first {
            let info = try status(self.upper(parent))
            (mode, owner) = (info.st_mode & 0o7777, FileOwner(uid: info.st_uid, gid: info.st_gid))
        }
        try changeOwner(upper, owner)
        try sys("chmod", upper.string) { chmod(upper.string, mode) }
    }

    private func mounts(_ record: SnapshotRecord, below ancestors: [Int64]) -> [SnapshotMount] {
        let isActive = record.info.kind == .active
        guard !ancestors.isEmpty else { return [bind(upper(record.id), isActive ? "rw" : "ro")] }
        if !isActive, ancestors.count == 1 { return [bind(upper(ancestors[0]), "ro")] }
        var options = ["index=off"]
        if isActive {
            options.append("workdir=" + (directory(record.id) / "work").string)
            options.append("upperdir=" + upper(record.id).string)
        }
        options.append("lowerdir=" + ancestors.map { upper($0).string }.joined(separator: ":"))
        return [SnapshotMount(type: "overlay", source: "overlay", options: options)]
    }

    private func bind(_ path: FilePath, _ mode: String) -> SnapshotMount {
        SnapshotMount(type: "bind", source: path.string, options: [mode, "rbind"])
    }

    private static func bootID() throws(SysError) -> String {
        try readText(FilePath("/proc/sys/kernel/random/boot_id"))
    }
}
