// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import DockerAPI
import LinuxSystem

/// Saved states of containers: directories of criu's files, in the container's own directory unless a client names
/// another.
extension ContainerService {
    /// Whether there are checkpoints at all.
    package var isExperimental: Bool { configuration.isExperimental }

    /// The names of a container's checkpoints.
    package func checkpoints(_ reference: String, in directory: String?) throws -> [String] {
        let container = try find(reference)
        let place = try checkpointDirectory(container.record, directory)
        guard exists(place) else {
            if directory == nil { return [] }
            throw EngineError.notFound("checkpoint directory \(place) does not exist for container \(reference)")
        }
        return try listDirectory(place).filter { isDirectory(place / $0) }.sorted()
    }

    /// Saves a running container; with `exits` that is its end.
    package func createCheckpoint(
        _ reference: String, named name: String, in directory: String?, exits: Bool
    ) async throws {
        let container = try find(reference)
        try checkRunning(container)
        guard RestrictedName.isValid(name) else {
            throw EngineError.invalidArgument(
                "Invalid checkpoint ID (\(name)), only \(RestrictedName.characters) are allowed")
        }
        let place = try checkpointDirectory(container.record, directory) / name
        try await container.operations.run { [self] in
            guard !exists(place) else {  // looked at in the queue: another client may be making it
                throw EngineError.conflict(
                    "cannot checkpoint container \(reference): checkpoint with name \(name) already exists for "
                        + "container " + reference)
            }
            try makeDirectories(place, mode: 0o700)
            do { try await supervisor.checkpointTask(container.id, to: place, exits: exits) } catch {
                try? removeTree(place)
                let cause = EngineError(error)
                throw EngineError(cause.kind, "Cannot checkpoint container \(reference): " + cause.message)
            }
            publish("checkpoint", container.record)
        }
        guard exits, await ended(container, within: .seconds(10)) else { return }
        await awaitCleanUp(container)
    }

    package func removeCheckpoint(_ reference: String, named name: String, in directory: String?) throws {
        let container = try find(reference)
        try removeTree(try checkpointPath(container.record, reference, named: name, in: directory))
    }

    /// Where a checkpoint is that has been made before.
    func checkpointPath(
        _ record: ContainerRecord, _ reference: String, named name: String, in directory: String?
    ) throws(EngineError) -> FilePath {
        let place = try checkpointDirectory(record, directory) / name
        guard RestrictedName.isValid(name), isDirectory(place) else {
            throw .notFound("checkpoint \(name) does not exist for container \(reference)")
        }
        return place
    }

    private func checkpointDirectory(_ record: ContainerRecord, _ given: String?) throws(EngineError) -> FilePath {
        guard let given else { return directory(record.id) / "checkpoints" }
        guard given.hasPrefix("/"), !given.utf8.contains(0) else {
            throw .invalidArgument("invalid checkpoint directory \"\(given)\": use an absolute path")
        }
        return FilePath(given)
    }
}

/// Whether there is a directory of this name, or a link to one.
private func isDirectory(_ path: FilePath) -> Bool { (try? status(path)).map { LinuxSystem.isDirectory($0) } ?? false }
