// SPDX-License-Identifier: Apache-2.0
package import Flags
package import JSON
import LinuxSystem

/// `--volume`, `--mount` and `--tmpfs`.
package struct RunStorage {
    /// Container paths that get a volume of their own.
    package private(set) var anonymous: [String] = []
    package private(set) var binds: [String] = []
    package private(set) var tmpfs: [(key: String, value: String)] = []
    package private(set) var mounts: [JSONValue] = []

    package init(_ flags: FlagValues) throws {
        for volume in flags.list("volume") {
            if volume.isEmpty { throw RunRefusal("invalid empty volume spec") }
            // A name of one letter may be a Windows drive to docker, which then looks no further.
            if volume.utf8.count > 2, volume.parts(":").contains("") {
                throw RunRefusal("invalid spec: " + volume + ": empty section between colons")
            }
            // Only a path: an anonymous volume. Else the source is a path or a name.
            guard let (source, rest) = volume.cut(":"), !source.isEmpty else {
                anonymous.append(volume)
                continue
            }
            let bind = RunStorage.absolute(source) + ":" + rest
            if !binds.contains(bind) { binds.append(bind) }  // the same twice is once
        }
        for entry in flags.list("tmpfs") {
            let (path, options) = entry.cut(":") ?? (entry, "")
            tmpfs.append((path, options))
        }
        mounts = try flags.list("mount").map(RunMount.parse)
    }

    /// `.`, `./x` and `..` are relative to the user's directory, and `~` has been expanded by the shell; all other
    /// sources that do not begin with a slash are names of volumes.
    private static func absolute(_ source: String) -> String {
        guard source == "." || source == ".." || source.hasPrefix("./") || source.hasPrefix("../") else {
            return source
        }
        return FilePath(source).absolute.string
    }
}
