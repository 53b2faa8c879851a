// SPDX-License-Identifier: Apache-2.0
package import Archive
import CLinux
import ContainerdAPI
import DockerAPI
import LinuxSystem
import Tar
import Threads

/// A path inside a container that was found: what there is to say about it, and its content as a tar archive.
package struct ContainerPath: Sendable {
    let tree: ContainerTree
    let place: TreePlace
    /// Keeps the volumes in the tree.
    let volumes: VolumeHold?
    package let status: PathStatus

    /// Writes an archive of the path and all below it. Blocks.
    package func archive(to sink: any ByteSink) throws { try withExtendedLifetime(tree) { try place.write(to: sink) } }

    /// The archive is complete: the volumes are not needed any more.
    package func release() async { await volumes?.release() }
}

/// How an archive is unpacked inside a container.
package struct ExtractionRequest: Sendable {
    package var path: String
    /// Refuses to put anything else in a directory's place, or a directory in anything else's.
    package var keepsKinds: Bool
    /// Everything belongs to the container's user, if it has one.
    package var ownedByUser: Bool

    package init(path: String, keepsKinds: Bool, ownedByUser: Bool) {
        self.path = path
        self.keepsKinds = keepsKinds
        self.ownedByUser = ownedByUser
    }
}

// Copying out of and into containers, running or not (`docker cp`).
extension ContainerService {
    /// Finds a path for `HEAD` and `GET /containers/{id}/archive`.
    package func path(_ reference: String, _ path: String) async throws -> ContainerPath {
        let container = try find(reference)
        let volumes = try await hold(container)
        let tree = try await readableTree(container, volumes)
        return try await runOnThread { try Self.find(path, in: tree, volumes, of: reference) }
    }

    /// Tells the world about a download.
    package func didArchive(_ reference: String) throws(EngineError) {
        publish("archive-path", try find(reference).record)
    }

    /// Unpacks an archive, plain or compressed, into a directory of a container. What fails half-way leaves what was
    /// unpacked until then.
    package func extract(
        _ reference: String, _ request: ExtractionRequest,
        from body: some AsyncSequence<[UInt8], any Error> & Sendable
    ) async throws {
        let container = try find(reference)
        let volumes = try await hold(container)
        let tree = try await writableTree(container, volumes)
        let record = container.record
        try await onThread(with: body) { [identities = configuration.identities] next in
            try Self.extract(request, PieceSource(next), into: tree, identities, record, reference)
        }
        await volumes?.release()
        publish("extract-to-dir", record)
    }

    // MARK: The tree

    /// As docker does, of running containers, too: their volumes stay mounted even if they end meanwhile.
    private func hold(_ container: Container) async throws(EngineError) -> VolumeHold? {
        try await volumes.hold(container.record.mounts.filter { $0.kind == .volume }.map(\.name))
    }

    private func readableTree(_ container: Container, _ volumes: VolumeHold?) async throws -> ContainerTree {
        if let tree = try await runningTree(container) { return tree }
        let parts = try parts(container, volumes)
        let tree = try await ContainerTree.reading(parts)
        guard tree.isIncomplete else { return tree }
        _ = try await writableTree(container, volumes)  // makes the places for the mounts
        return try await ContainerTree.reading(parts)
    }

    private func writableTree(_ container: Container, _ volumes: VolumeHold?) async throws -> ContainerTree {
        if let tree = try await runningTree(container) { return tree }
        let hold = try await container.operations.hold()
        if let tree = try await runningTree(container) { return tree }
        await cleanUpEndedRun(container)  // which has the layers mounted
        return try await ContainerTree.writing(try parts(container, volumes), hold)
    }

    /// nil if the container does not run.
    func runningTree(_ container: Container, rootOnly: Bool = false) async throws -> ContainerTree? {
        let state = container.state
        guard state.isRunning, !state.isRestarting, let pid = UInt32(exactly: state.pid), pid > 0 else { return nil }
        guard let tree = try? await ContainerTree.running(pid: pid, rootOnly: rootOnly) else { return nil }
        // The shim has not reaped it yet, so its pid meant the container's process all the time.
        guard let process = try? await supervisor.task(container.id), process.pid == pid else { return nil }
        return process.status == .running || process.status == .paused ? tree : nil
    }

    private func parts(_ container: Container, _ volumes: VolumeHold?) throws(EngineError) -> ContainerTree.Parts {
        let record = try usable(container, for: "copy")
        guard let rootfs = record.rootfs.first else {
            throw .internal("container \(record.id) has no root file system")
        }
        var mounts = record.mounts
        for index in mounts.indices where mounts[index].kind == .volume {
            if let source = volumes?.source(of: mounts[index].name) { mounts[index].source = source }
        }
        for file in configFiles(record) {
            var mount = MountPoint(.bind, destination: file.destination)
            mount.source = file.source
            mounts.append(mount)
        }
        return ContainerTree.Parts(
            rootfs: rootfs, isReadOnly: record.hostConfig.flag("ReadonlyRootfs"), mounts: mounts,
            place: directory(record.id))
    }

    // MARK: On a thread

    private static func find(
        _ path: String, in tree: ContainerTree, _ volumes: VolumeHold?, of reference: String
    ) throws(EngineError) -> ContainerPath {
        do throws(SysError) {
            let place = try TreePlace(tree.root, path)
            let target = isSymbolicLink(place.info) ? try linkTarget(tree.root, place.path) : nil
            let status = PathStatus(
                name: String(decoding: place.archiveName, as: UTF8.self), size: Int64(place.info.st_size),
                mode: place.info.st_mode, modified: Timestamp(place.info.st_mtim), linkTarget: target ?? "")
            return ContainerPath(tree: tree, place: place, volumes: volumes, status: status)
        } catch {
            throw lookupError(error, path, reference)
        }
    }

    private static func lookupError(_ error: SysError, _ path: String, _ reference: String) -> EngineError {
        switch error.errno {
        case .noSuchFile: .notFound("Could not find the file \(path) in container \(reference)")
        case .notDirectory: .invalidArgument("\(path) in container \(reference): not a directory")
        case .loop, .nameTooLong: .invalidArgument("\(path) in container \(reference): \(error.errno.text)")
        default: EngineError(error)
        }
    }

    private static func extract(
        _ request: ExtractionRequest, _ source: any ByteSource, into tree: ContainerTree, _ identities: IdentityMap,
        _ record: ContainerRecord, _ reference: String
    ) throws {
        let target = try target(request.path, tree, record, reference)
        var options = LayerOptions(whiteouts: .literal)
        (options.crossesMounts, options.keepsKinds) = (true, request.keepsKinds)
        options.spreadsDirectories = true
        options.identities = identities
        if request.ownedByUser, !record.config.user.isEmpty {
            options.owner = try owner(record.config.user, tree)
        }
        do {
            let applier = LayerApplier(root: try tree.root.duplicate(), base: target, options: options)
            let archive = InputBuffer(source)
            guard try !archive.peek(1).isEmpty else { return }  // nothing at all is an empty archive, too
            try applier.apply(try decompressedArchive(archive))
        } catch let error as ArchiveError {
            throw EngineError.invalidArgument(error.message)
        } catch let error as SysError where Self.isClientsFault(error.errno) {
            throw EngineError.invalidArgument(error.description)
        }
    }

    /// What is in the container, or in the archive, makes the archive impossible to unpack there.
    private static func isClientsFault(_ errno: Errno) -> Bool {
        [
            .notDirectory, .isDirectory, .loop, .nameTooLong, .readOnly, .busy, .noSuchFile, .exists, .fileTooBig,
        ].contains(errno)
    }

    private static func target(
        _ path: String, _ tree: ContainerTree, _ record: ContainerRecord, _ reference: String
    ) throws(EngineError) -> EntryPath {
        let place: TreePlace
        let isReadOnly: Bool
        do throws(SysError) {
            place = try TreePlace(tree.root, path + "/")
            isReadOnly = try place.isOnReadOnlyMount
        } catch {
            if error.errno == .notDirectory { throw .invalidArgument("extraction point is not a directory") }
            throw lookupError(error, path, reference)
        }
        guard isReadOnly else { return place.path }
        let inVolume = record.mounts.contains {
            place.path.components.starts(with: FilePath($0.destination).components.map { Array($0.utf8) })
        }
        throw EngineError(
            .permissionDenied,
            inVolume ? "mounted volume is marked read-only" : "container rootfs is marked read-only")
    }

    private static func owner(_ user: String, _ tree: ContainerTree) throws(EngineError) -> FileOwner {
        do {
            let files = try UserFiles(root: tree.root)
            let user = try UserLookup(passwd: files.passwd, group: files.group).resolve(user)
            return FileOwner(uid: user.uid, gid: user.gid)
        } catch let error as SpecError {
            throw .invalidArgument(error.message)
        } catch { throw EngineError(error) }
    }
}
