// SPDX-License-Identifier: Apache-2.0
import AsyncTTRPC
import ContainerdAPI
import ContentStore
import LinuxSystem
import OCISpec
import Snapshots
import SwiftProtobuf
import Threads

/// Checkpoints as content: a tar of criu's files, and the container's spec.
package struct CheckpointContent: Sendable {
    private let images: ImageServices
    private let leases: LeaseService
    /// What criu writes belongs to root, also where users of containers are mapped.
    private var differ: DiffCreator { DiffCreator(content: images.content) }
    private var applier: DiffApplier { DiffApplier(content: images.content) }

    package init(images: ImageServices, leases: LeaseService) {
        self.images = images
        self.leases = leases
    }

    /// Puts the files in `directory` and the spec into the content store.
    func add(_ directory: FilePath, spec: Google_Protobuf_Any, _ context: RPCContext) async throws -> [Descriptor] {
        let namespace = try context.namespace()
        // A collection must not come between the blobs and the lease or the image that will keep them.
        return try await images.gate.transfer(namespace) {
            let made = try await images.pool.run {
                let files = try differ.create(
                    namespace, .init(lower: [], upper: [Self.mount(directory)], mediaType: MediaType.checkpoint))
                let bytes: [UInt8] = try spec.serializedBytes()
                let digest = try images.content.put(namespace, bytes)
                return [
                    files,
                    Descriptor(mediaType: MediaType.checkpointConfig, digest: digest, size: Int64(bytes.count)),
                ]
            }
            for descriptor in made { try leases.note(context, type: "content", id: descriptor.digest.string) }
            return made
        }
    }

    /// Unpacks what `add` has made of a directory.
    func extract(_ namespace: String, _ checkpoint: Descriptor, to directory: FilePath) async throws {
        guard checkpoint.mediaType == MediaType.checkpoint else {
            throw ServiceError(.invalidArgument, "unsupported checkpoint type \"\(checkpoint.mediaType)\"")
        }
        _ = try await images.pool.run {
            try makeDirectory(directory, mode: 0o700)
            return try applier.apply(namespace, layer: checkpoint, mounts: [Self.mount(directory)])
        }
    }

    private static func mount(_ directory: FilePath) -> SnapshotMount {
        SnapshotMount(type: "bind", source: directory.string, options: [])
    }
}

extension TaskService {
    /// Saves a task to the directory that the options name, or as content.
    func checkpoint(
        _ key: TaskKey, options: Google_Protobuf_Any, _ context: RPCContext
    ) async throws -> [Descriptor] {
        let shim = try shim(key)
        let given = try options.unpacked(as: Containerd_Runc_V1_CheckpointOptions.self)
        if let path = given?.imagePath, !path.isEmpty {
            try await save(shim, to: path, options)
            return []
        }
        let container = try containers.container(key.namespace, key.id)
        let directory = shim.bundle.path / "checkpoint-\(monotonicNanoseconds())"
        defer { _ = try? removeTree(directory) }
        try makeDirectory(directory, mode: 0o700)
        try await save(shim, to: directory.string, options)
        return try await checkpoints.add(directory, spec: container.spec, context)
    }

    private func save(_ shim: ShimConnection, to path: String, _ options: Google_Protobuf_Any) async throws {
        let call = Containerd_Task_V2_CheckpointTaskRequest.with {
            $0.id = shim.bundle.key.id
            $0.path = path
            $0.options = options
        }
        let _: Google_Protobuf_Empty = try await shim.call("Checkpoint", call)
    }

    /// The directory of the checkpoint that a new task is to be made of; empty if it is none. Content is unpacked into the
    /// bundle, and goes with it.
    func checkpointPath(
        _ request: Containerd_Services_Tasks_V1_CreateTaskRequest, _ options: Google_Protobuf_Any, _ bundle: Bundle
    ) async throws -> String {
        if let path = try options.unpacked(as: Containerd_Runc_V1_Options.self)?.criuImagePath, !path.isEmpty {
            return path
        }
        guard request.hasCheckpoint else { return "" }
        let directory = bundle.path / "restored"
        try await checkpoints.extract(bundle.key.namespace, try Descriptor(message: request.checkpoint), to: directory)
        return directory.string
    }
}
