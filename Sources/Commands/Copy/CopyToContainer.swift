// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import LinuxSystem

/// `cp LOCAL CONTAINER:PATH`
struct CopyToContainer {
    let call: Invocation
    let container: String
    let path: String
    let follows: Bool

    /// The bytes of the archive that went.
    func run(from local: String) throws -> Int64 {
        let target = try followed(path)
        let stat = try CopyStat.of(call.client, container, target)
        if local == "-" {
            guard stat?.isDirectory ?? false else {
                throw CommandFailure("destination \"" + container + ":" + path + "\" must be a directory")
            }
            return try put(target, try FileInput.stream(nil))
        }
        guard let info = try? status(FilePath(local), follow: follows || local.hasSuffix("/")) else {
            throw CommandFailure("lstat " + FilePath(local).absolute.string + ": no such file or directory")
        }
        let isDirectory = LinuxSystem.isDirectory(info)
        let (directory, name) = try place(target, stat, local, isDirectory)
        let archive = TarCreation(FilePath(local), rootName: name, follows: follows)
        _ = try put(
            directory,
            .stream(contentType: "application/x-tar") { () throws(ClientError) in
                try archive.next()
            })
        return archive.written
    }

    /// The directory to unpack in, and the name of the archive's root there.
    private func place(
        _ target: String, _ stat: CopyStat?, _ local: String, _ isDirectory: Bool
    ) throws -> (directory: String, name: String) {
        if let stat, stat.isDirectory {
            let onlyContent = isDirectory && (local.hasSuffix("/.") || local == ".")
            return (target, onlyContent ? "." : local.baseName)
        }
        if stat != nil, isDirectory { throw CommandFailure("cannot copy directory") }
        if target.asksForDirectory, !isDirectory { throw CommandFailure("no such directory") }
        let path = FilePath(target.hasPrefix("/") ? target : "/" + target)
        return (path.parent.string, path.lastComponent)
    }

    /// The link's target, when the path is a link.
    private func followed(_ path: String) throws -> String {
        guard let stat = try CopyStat.of(call.client, container, path), stat.isLink else { return path }
        if stat.linkTarget.hasPrefix("/") { return stat.linkTarget }
        return (FilePath(path).parent / stat.linkTarget).normalized.string
    }

    private func put(_ directory: String, _ body: DockerClient.Body) throws -> Int64 {
        var query = Query([("path", directory), ("noOverwriteDirNonDir", "true")])
        if call.flags.bool("archive") { query.add("copyUIDGID", "true") }
        try call.client.perform("PUT", CopyStat.archivePath(container), query, body: body)
        return 0
    }
}
