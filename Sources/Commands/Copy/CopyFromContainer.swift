// SPDX-License-Identifier: Apache-2.0
import DockerClient
import LinuxSystem
import Tar

/// `cp CONTAINER:PATH LOCAL`
struct CopyFromContainer {
    let call: Invocation
    let container: String
    let path: String
    let follows: Bool

    /// The bytes of the archive that came.
    func run(to local: String) throws -> Int64 {
        let source = follows ? try followed(path) : path
        let response = try call.client.send("GET", CopyStat.archivePath(container), Query([("path", source)]))
        let stat = try CopyStat(header: response.header("x-docker-container-path-stat"))
        let archive = ResponseSource(response)
        if local == "-" {
            while case let bytes = try archive.read(upTo: 1 << 16), !bytes.isEmpty {
                try StandardStreams.write(1, bytes)
            }
            return archive.count
        }
        do {
            let name = source == path ? stat.name : path.baseName  // of a link that was followed the link's own
            try TarExtraction(try target(local, stat, name, source)).extract(TarReader(archive))
        } catch let error as ArchiveError { throw CommandFailure(error.message) }
        return archive.count
    }

    /// The link's target, when the path is a link.
    private func followed(_ path: String) throws -> String {
        guard let stat = try CopyStat.of(call.client, container, path), stat.isLink else { return path }
        if stat.linkTarget.hasPrefix("/") { return stat.linkTarget }
        return (FilePath(path).parent / stat.linkTarget).normalized.string
    }

    /// What a path means that is a link: copies go to where the user's own links lead, be there something or not.
    private static func behindLinks(_ path: FilePath) -> FilePath {
        var path = path
        for _ in 0..<40 {
            guard let next = try? readLink(path) else { break }
            path = next.isAbsolute ? next : path.parent / next.string
        }
        return path
    }

    /// Where the archive's root goes: into an existing directory under its own name (or only its content, for
    /// `dir/.`), else to the name given.
    private func target(_ local: String, _ stat: CopyStat, _ name: String, _ source: String) throws -> FilePath {
        let target = Self.behindLinks(FilePath(local))
        if let info = try? status(target) {
            if LinuxSystem.isDirectory(info) {
                return source.hasSuffix("/.") || source == "." ? target : target / name
            }
            if stat.isDirectory { throw CommandFailure("cannot copy directory") }
            if local.hasSuffix("/") { throw CommandFailure("not a directory") }
            return target
        }
        guard let parent = try? status(target.parent), LinuxSystem.isDirectory(parent) else {
            throw CommandFailure(
                "invalid output path: directory " + target.absolute.parent.string.quoted + " does not exist")
        }
        if local.asksForDirectory, !stat.isDirectory { throw CommandFailure("no such directory") }
        return target
    }
}

/// The body of a response, counted.
private final class ResponseSource: ByteSource {
    private let response: HTTPResponse
    private(set) var count: Int64 = 0

    init(_ response: HTTPResponse) { self.response = response }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let received = try response.read(into: buffer)
        count += Int64(received)
        return received
    }
}
