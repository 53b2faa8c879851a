// SPDX-License-Identifier: Apache-2.0
package import Archive
import ContainerdAPI
package import DockerAPI
import JSON
import LinuxSystem
package import OCISpec
import SwiftProtobuf
import Tar
import Threads

/// What `POST /commit` asks for.
package struct CommitRequest: Sendable {
    package var reference: ImageReference?
    package var author = ""
    package var comment = ""
    package var changes: ImageChanges
    /// Values that replace the container's.
    package var config: ContainerConfig
    /// Stops a running container for as long as its changes are read.
    package var pauses = true

    package init(reference: ImageReference?, changes: ImageChanges, config: ContainerConfig) {
        self.reference = reference
        self.changes = changes
        self.config = config
    }
}

// What a container changed in its root file system: as a list, as an image, as an archive.
extension ContainerService {
    /// Paths that the runtime mounts something on, and makes if the image lacks them: no change of the container's.
    static let mountPoints = ["/dev", "/proc", "/sys", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf"]

    /// Makes an image of a container; returns the image's ID.
    package func commit(_ reference: String, _ request: CommitRequest) async throws -> String {
        let container = try find(reference)
        return try await container.operations.run { [self] in
            let record = try usable(container, for: "commit")
            var commit = ImageCommit(config: request.config)
            (commit.reference, commit.author, commit.comment) = (request.reference, request.author, request.comment)
            if commit.config.env.isEmpty { commit.config.env = record.config.env }  // whose order stays
            try request.changes.apply(to: &commit.config, environment: record.config.env)
            try ContainerDefaults.merge(record.config.json, into: &commit.config)
            commit.createdBy = (record.config.command ?? []).joined(separator: " ")
            let image = try await supervisor.holdingLease {
                let layer =
                    try await request.pauses
                    ? whilePaused(container) { [self] in try await makeLayer(record) } : makeLayer(record)
                return try await images.commit(commit, layer: layer, parent: record.imageID)
            }
            publish(
                "commit", record,
                [
                    ("comment", request.comment), ("imageID", image.id),
                    ("imageRef", request.reference?.taggedByDefault.familiar ?? ""),
                ])
            return image.id
        }
    }

    /// `docker diff`.
    package func changes(_ reference: String) async throws -> [FileChange] {
        let record = try usable(find(reference), for: "diff")
        let stack = try stack(record)
        let lower = LayerStack(upper: nil, lowers: stack.lowers)
        return try await pool.run {
            try LayerDifference(from: lower, to: stack, ignoring: Self.mountPoints).changes()
        }
    }

    /// A container's root file system, for `export`; it need not be running.
    package struct Exportable: Sendable {
        let stack: LayerStack
        /// The mounted file system of a running one: to mount its layers a second time would be undefined.
        let tree: ContainerTree?
        let identities: IdentityMap

        /// Writes a tar of it all. Blocks.
        package func write(to sink: any ByteSink) throws {
            guard let tree else { return try writeTree(stack, identities: identities, to: sink) }
            try writeTree(try openInRoot(tree.root, "/", OpenFlags.directory), identities: identities, to: sink)
        }
    }

    package func exportable(_ reference: String) async throws -> Exportable {
        let container = try find(reference)
        let record = try usable(container, for: "export")
        let source = Exportable(
            stack: try stack(record), tree: try await runningTree(container, rootOnly: true),
            identities: configuration.identities)
        publish("export", record)
        return source
    }

    // MARK: Steps

    func usable(_ container: Container, for purpose: String) throws(EngineError) -> ContainerRecord {
        let record = container.record
        if record.state.isRemoving {
            throw .conflict("You cannot \(purpose) container \(container.id) which is being removed")
        }
        return record
    }

    func stack(_ record: ContainerRecord) throws(EngineError) -> LayerStack {
        guard let mount = record.rootfs.first else { throw .internal("container \(record.id) has no root file system") }
        do throws(ArchiveError) {
            return try LayerStack(type: mount.type, source: mount.source, options: mount.options)
        } catch { throw .internal("container \(record.id): \(error.message)") }
    }

    private func makeLayer(_ record: ContainerRecord) async throws -> DescriptorMessage {
        let upper = record.rootfs.map { mount in
            MountMessage.with { ($0.type, $0.source, $0.options) = (mount.type, mount.source, mount.options) }
        }
        let labels = ["io.swrun.diff.exclude": Self.mountPoints.joined(separator: "\n")]
        if record.chainID.isEmpty { return try await supervisor.diff(from: [], to: upper, labels: labels) }
        let key = "commit-\(monotonicNanoseconds())-\(record.id)"
        let lower = try await supervisor.viewSnapshot(key, parent: record.chainID)
        do {
            let layer = try await supervisor.diff(from: lower, to: upper, labels: labels)
            try await supervisor.removeSnapshot(key)
            return layer
        } catch {
            try? await supervisor.removeSnapshot(key)
            throw error
        }
    }

    /// Freezes a running container; runs inside its queue of operations. One that cannot be frozen, since it has just
    /// ended, needs it no more.
    private func whilePaused<Result: Sendable>(
        _ container: Container, _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        guard container.state.isRunning, !container.state.isPaused, !container.state.isRestarting else {
            return try await body()
        }
        guard (try? await freeze(container)) != nil else { return try await body() }
        do {
            let result = try await body()
            try await thaw(container)
            return result
        } catch {
            try? await thaw(container)
            throw error
        }
    }
}
