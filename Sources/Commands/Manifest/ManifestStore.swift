// SPDX-License-Identifier: Apache-2.0
import DockerClient
import JSON
package import LinuxSystem

/// The manifest lists that wait to be pushed: `<root>/<list>/<image>`, a JSON file for each image of a list. docker's
/// client has the same files at the same place, so that either works on the other's lists.
package struct ManifestStore: Sendable {
    private let root: FilePath

    /// - Parameter root: `manifests` in the directory of the user's configuration; made when it is needed.
    package init(root: FilePath) { self.root = root }

    init(config: ClientConfig) { root = config.directory / "manifests" }

    /// The images of a list, by the names of their files; nil if there is no such list.
    package func members(of list: ImageName) throws -> [StoredManifest]? {
        guard let names = try? listDirectory(directory(of: list)) else { return nil }
        return try names.sorted().map { try read(directory(of: list) / $0) }
    }

    /// One image of a list; nil if it has none of that name.
    package func member(_ name: ImageName, of list: ImageName) throws -> StoredManifest? {
        let path = directory(of: list) / Self.fileName(name)
        return exists(path) ? try read(path) : nil
    }

    package func save(_ member: StoredManifest, as name: ImageName, in list: ImageName) throws {
        do throws(SysError) {
            try makeDirectories(directory(of: list))
            let bytes = member.json.bytes(JSONFormat(escapesHTML: true))
            try writeFileAtomically(directory(of: list) / Self.fileName(name), bytes, mode: 0o644)
        } catch { throw CommandFailure("cannot keep the manifest list: " + error.description) }
    }

    /// - Returns: false if there is no such list.
    package func remove(_ list: ImageName) throws -> Bool {
        guard exists(directory(of: list)) else { return false }
        do throws(SysError) { try removeTree(directory(of: list)) } catch {
            throw CommandFailure("cannot remove the manifest list: " + error.description)
        }
        return true
    }

    private func directory(of list: ImageName) -> FilePath { root / Self.fileName(list) }

    private static func fileName(_ name: ImageName) -> String {
        name.full.replacingText(":", with: "-").replacingText("/", with: "_")
    }

    private func read(_ path: FilePath) throws -> StoredManifest {
        let bytes: [UInt8]
        do throws(SysError) { bytes = try readFile(path) } catch {
            throw CommandFailure("cannot read a manifest list: " + error.description)
        }
        do throws(JSONError) { return StoredManifest(json: try JSONValue(parsing: bytes)) } catch {
            throw CommandFailure(
                "damaged manifest list: " + path.string + ": " + error.description + ": make the list anew")
        }
    }
}
