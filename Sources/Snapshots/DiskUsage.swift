// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem

/// The disk blocks and inodes below a directory, itself included; hard links count once.
package func diskUsage(_ path: FilePath) throws(SysError) -> SnapshotUsage {
    var counter = DiskUsageCounter()
    try counter.add(path)
    return SnapshotUsage(bytes: counter.bytes, inodes: counter.inodes)
}

private struct DiskUsageCounter {
    private struct Inode: Hashable {
        var device: UInt64
        var number: UInt64
    }

    var bytes: Int64 = 0
    var inodes: Int64 = 0
    private var linked: Set<Inode> = []

    /// What vanishes while we look is not counted: a container may be running.
    mutating func add(_ path: FilePath) throws(SysError) {
        do throws(SysError) { try addExisting(path) } catch {
            guard error.errno == .noSuchFile else { throw error }
        }
    }

    private mutating func addExisting(_ path: FilePath) throws(SysError) {
        let info = try status(path, follow: false)
        if info.st_nlink > 1, !isDirectory(info) {
            guard linked.insert(Inode(device: UInt64(info.st_dev), number: UInt64(info.st_ino))).inserted else {
                return
            }
        }
        bytes += Int64(info.st_blocks) * 512
        inodes += 1
        guard isDirectory(info) else { return }
        for name in try listDirectory(path) { try add(path / name) }
    }
}
