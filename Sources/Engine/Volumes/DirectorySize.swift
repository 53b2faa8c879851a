// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// How much a directory holds.
enum DirectorySize {
    /// The sizes of all files below, each inode once; what cannot be read counts as nothing.
    static func bytes(_ path: FilePath) -> Int64 {
        var seen: Set<UInt64> = []
        return bytes(path, &seen)
    }

    private static func bytes(_ path: FilePath, _ seen: inout Set<UInt64>) -> Int64 {
        guard let info = try? status(path, follow: false) else { return 0 }
        guard info.st_mode & UInt32(S_IFMT) == UInt32(S_IFDIR) else {
            let isFirst = info.st_nlink < 2 || seen.insert(UInt64(info.st_ino)).inserted
            return isFirst ? Int64(info.st_size) : 0
        }
        return ((try? listDirectory(path)) ?? []).reduce(0) { $0 + bytes(path / $1, &seen) }
    }

    static func isEmpty(_ path: FilePath) -> Bool { (try? listDirectory(path))?.isEmpty ?? false }
}
