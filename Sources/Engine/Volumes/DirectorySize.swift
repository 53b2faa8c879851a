// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// How much a directory holds.
enum DirectorySize {
    private struct Inode: Hashable {
        var device: UInt64
        var number: UInt64
    }

    /// The bytes of all files below, each inode once: a file's length as docker counts it, but of a sparse file only
    /// the blocks that it has. What cannot be read counts as nothing, and what is too much for the type as its maximum.
    static func bytes(_ path: FilePath) -> Int64 {
        var seen: Set<Inode> = []
        return bytes(path, &seen)
    }

    private static func bytes(_ path: FilePath, _ seen: inout Set<Inode>) -> Int64 {
        guard let info = try? status(path, follow: false) else { return 0 }
        guard isDirectory(info) else {
            let inode = Inode(device: UInt64(info.st_dev), number: UInt64(info.st_ino))
            return info.st_nlink < 2 || seen.insert(inode).inserted ? bytes(info) : 0
        }
        return ((try? listDirectory(path)) ?? []).reduce(0) { $0.addingSaturating(bytes(path / $1, &seen)) }
    }

    /// `st_blocks` counts 512 bytes each, whatever the file system's block size (stat(2)).
    private static func bytes(_ info: stat) -> Int64 {
        let (allocated, isTooMuch) = Int64(info.st_blocks).multipliedReportingOverflow(by: 512)
        return isTooMuch ? Int64(info.st_size) : min(Int64(info.st_size), allocated)
    }

    static func isEmpty(_ path: FilePath) -> Bool { (try? listDirectory(path))?.isEmpty ?? false }
}

extension Int64 {
    /// The sum of two sizes, at most the type's maximum.
    func addingSaturating(_ other: Int64) -> Int64 {
        let (sum, isTooMuch) = addingReportingOverflow(other)
        return isTooMuch ? .max : sum
    }
}
