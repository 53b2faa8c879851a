// SPDX-License-Identifier: Apache-2.0
import DockerClient
import JSON

/// What the daemon says about a path inside a container (header X-Docker-Container-Path-Stat).
struct CopyStat {
    var name: String
    /// Go's os.FileMode: the upper bits are kinds.
    var mode: UInt64
    var linkTarget: String

    var isDirectory: Bool { mode & 1 << 31 != 0 }
    var isLink: Bool { mode & 1 << 27 != 0 }

    init(header: String?) throws {
        guard let header, let bytes = Base64.decode(header), let stat = try? JSONValue(parsing: bytes) else {
            throw CommandFailure("the daemon answered without the path's status")
        }
        name = stat["name"]?.string ?? ""
        mode = stat["mode"]?.uint ?? 0
        linkTarget = stat["linkTarget"]?.string ?? ""
    }

    /// nil when the path does not exist.
    static func of(_ client: DockerClient, _ container: String, _ path: String) throws -> CopyStat? {
        do throws(ClientError) {
            let answer = try client.send("HEAD", archivePath(container), Query([("path", path)]))
            return try? CopyStat(header: answer.header("x-docker-container-path-stat"))
        } catch {
            // The answer to HEAD has no text: whether the container or the path is missing shows elsewhere.
            guard error.status == 404 else { throw error }
            _ = try client.json("GET", APIPath.container(container) + "/json")
            return nil
        }
    }

    static func archivePath(_ container: String) -> String {
        APIPath.container(container) + "/archive"
    }
}
