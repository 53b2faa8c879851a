// SPDX-License-Identifier: Apache-2.0
import Archive
import CLinux
import JSON
import LinuxSystem

/// How docker's clients know the storage of layers: overlay2, whose directories the supervisor's snapshots are.
enum GraphDriver {
    static let name = "overlay2"

    /// `GraphDriver` of an image or a container; `layers` is nil if their directories are not known.
    ///
    /// - Parameter merged: where the whole tree can be seen; nil names the place beside the upper directory where docker
    ///   would show it.
    static func json(_ layers: LayerStack?, merged: FilePath? = nil) -> JSONValue {
        guard let layers, let upper = layers.upper else { return ["Data": .null, "Name": .string(name)] }
        let merged = merged ?? upper.parent / "merged"
        var data: [JSONValue.Member] = [
            .init("MergedDir", .string(merged.string)), .init("UpperDir", .string(upper.string)),
            .init("WorkDir", .string((upper.parent / "work").string)),
        ]
        if !layers.lowers.isEmpty {
            data.insert(.init("LowerDir", .string(layers.lowers.map(\.string).joined(separator: ":"))), at: 0)
        }
        return ["Data": .object(data), "Name": .string(name)]
    }

    /// `DriverStatus` of `info`.
    ///
    /// - Parameter root: where the layers lie.
    static func status(root: FilePath) -> JSONValue {
        [
            ["Backing Filesystem", .string(backingFileSystem(root) ?? "<unknown>")], ["Supports d_type", "true"],
            ["Using metacopy", "false"], ["Native Overlay Diff", "true"], ["userxattr", "false"],
        ]
    }

    private static func backingFileSystem(_ root: FilePath) -> String? {
        guard let directory = try? open(root, O_RDONLY | O_DIRECTORY), let type = try? fileSystemType(directory) else {
            return nil
        }
        return fileSystems[type]
    }

    /// docker's names for file systems by their magic numbers (statfs(2)).
    private static let fileSystems = [
        0x9123_683e: "btrfs", 0xef53: "extfs", 0xf2f5_2010: "f2fs", 0x794c_7630: "overlayfs", 0x0102_1994: "tmpfs",
        0x5846_5342: "xfs", 0x2fc1_2fc1: "zfs",
    ]
}
