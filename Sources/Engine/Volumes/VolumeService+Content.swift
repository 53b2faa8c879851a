// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Threads

// Image content in new volumes.
extension VolumeService {
    /// Copies what an image has at `path` into the volume, or into the directory `part` of it, if that is there and still
    /// empty. A volume that is not always mounted is mounted for that. `mountOptions` are those of the overlay snapshot that
    /// the container runs on; nothing has been written to it yet.
    package func populate(
        _ name: String, part: String = "", path: String, mountOptions: [String]
    ) async throws(EngineError) {
        let layers = ImageContent.layers(options: mountOptions)
        if !ImageContent.exists(layers: layers, path: path) { return }
        let hold = try await hold([name])
        var target = try await mount(name)
        if let source = hold?.source(of: name) { target.source = FilePath(source) }
        let content = target
        let shown = dataDirectory(name).string
        // Owned by `populations`, and ends with the copying. On a thread of its own: the volume may be a bind of a
        // directory whose file system hangs.
        let population = Task {
            try await runOnThread {
                guard ImageContent.exists(layers: layers, path: path),
                    let directory = try? Self.directory(part, of: content.source),
                    (try? listDirectory(FilePath("/proc/self/fd/\(directory.raw)")))?.isEmpty == true
                else { return }
                do throws(SysError) {
                    if content.isReadOnly { throw SysError("chmod", shown, .readOnly) }
                    try ImageContent.copy(layers: layers, path: path, into: directory)
                } catch {
                    guard error.errno == .readOnly else { throw error }
                    throw EngineError.internal("failed to chmod on \(shown): chmod \(shown): \(error.errno.text)")
                }
            }
        }
        populations[name] = population
        let result = await population.result
        populations[name] = nil
        await hold?.release()
        do { try result.get() } catch let error as EngineError { throw error } catch {
            throw .internal("copy the image's \(path) into volume \(name): \(EngineError(error).message)")
        }
    }

    /// A volume's root, or a directory below it that no link leads out of.
    private static func directory(_ part: String, of root: FilePath) throws(SysError) -> OwnedFD {
        let volume = try open(root, OpenFlags.directory)
        return part.isEmpty ? volume : try openBelow(volume, part, OpenFlags.directory)
    }
}
