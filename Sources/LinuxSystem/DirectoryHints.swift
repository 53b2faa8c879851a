// SPDX-License-Identifier: Apache-2.0
package import CLinux

/// Tells the file system that the subdirectories of `directory` have nothing to do with each other (chattr(1),
/// attribute `T`), so that ext4 spreads them over the disk. Otherwise a new tree would get its inodes from where another
/// one was removed, and ext4 passes over each inode that was freed in the last minutes, one by one, for each new file.
/// A hint only: file systems without it are left alone.
package func spreadSubdirectories(of directory: FilePath) {
    guard let opened = try? open(directory, O_RDONLY | O_DIRECTORY) else { return }
    spreadSubdirectories(of: opened)
}

/// The same of an open directory, or the opposite; whether that was news.
@discardableResult
package func spreadSubdirectories(of directory: borrowing OwnedFD, _ isWanted: Bool = true) -> Bool {
    let (getFlags, setFlags, topDirectory): (UInt, UInt, CLong) = (0x8008_6601, 0x4008_6602, 0x2_0000)
    var flags: CLong = 0
    guard swrun_ioctl_ptr(directory.raw, getFlags, &flags) == 0, (flags & topDirectory != 0) != isWanted else {
        return false
    }
    flags ^= topDirectory
    return swrun_ioctl_ptr(directory.raw, setFlags, &flags) == 0
}

/// Makes a directory with `spreadSubdirectories`, and its missing parents, unless it is there.
package func makeSpreadDirectory(_ path: FilePath, mode: mode_t) throws(SysError) {
    if exists(path) { return }
    try makeDirectories(path, mode: mode)
    spreadSubdirectories(of: path)
}
