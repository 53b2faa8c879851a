// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Removes a directory tree without following symbolic links and without crossing into another file system (a mount
/// below fails with EBUSY rather than losing what is mounted there). A missing tree is fine.
///
/// The tree may be what a container left: names are bytes that need not be text, and depth has no bound. So everything
/// is done by descriptors, and a directory that lies deeper than one below the top is moved up to the top first.
package func removeTree(_ path: FilePath) throws(SysError) {
    let info: stat
    do throws(SysError) { info = try status(path, follow: false) } catch {
        if error.errno == .noSuchFile { return }
        throw error
    }
    guard isDirectory(info) else { return try removeFile(path) }
    var removal = TreeRemoval(path: path, root: try open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
    try removal.run()
    try removeEmptyDirectory(path)
}

private struct TreeRemoval: ~Copyable {
    let path: FilePath
    let root: OwnedFD
    /// How many directories were moved to the top, for their names there.
    private var moved = 0

    init(path: FilePath, root: consuming OwnedFD) {
        self.path = path
        self.root = root
    }

    /// Empties the top directory; what was moved there meanwhile is found by another pass.
    mutating func run() throws(SysError) {
        let top = root.raw
        while try removeEntries(of: top) > 0 {}
    }

    /// Removes the entries of an open directory, or moves them to the top. Returns how many there were.
    private mutating func removeEntries(of directory: CInt) throws(SysError) -> Int {
        var count = 0
        try forEachEntry(of: directory, path) { name throws(SysError) in
            try remove(name, in: directory)
            count += 1
        }
        return count
    }

    private mutating func remove(_ name: UnsafePointer<CChar>, in directory: CInt) throws(SysError) {
        if unlinkat(directory, name, 0) == 0 { return }
        guard [EISDIR, EPERM].contains(swrun_errno()) else { return try ignoringMissing("unlink") }
        if unlinkat(directory, name, AT_REMOVEDIR) == 0 { return }
        guard [ENOTEMPTY, EEXIST].contains(swrun_errno()) else { return try ignoringMissing("rmdir") }
        guard directory == root.raw else { return try moveUp(name, from: directory) }
        let child = swrun_openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
        guard child >= 0 else { return try ignoringMissing("open") }
        defer { close(child) }
        while try removeEntries(of: child) > 0 {}
        if unlinkat(directory, name, AT_REMOVEDIR) != 0 { try ignoringMissing("rmdir") }
    }

    private mutating func moveUp(_ name: UnsafePointer<CChar>, from directory: CInt) throws(SysError) {
        let top = root.raw
        while true {
            moved += 1
            if swrun_renameat(directory, name, top, ".removing-" + String(moved)) == 0 { return }
            // Somebody's own file has that name: another one then.
            guard [EEXIST, ENOTEMPTY, ENOTDIR].contains(swrun_errno()) else {
                return try ignoringMissing("rename")
            }
        }
    }

    /// What somebody else has removed meanwhile is gone, as it should be.
    private borrowing func ignoringMissing(_ operation: String) throws(SysError) {
        if swrun_errno() != ENOENT { throw failure(operation) }
    }

    private borrowing func failure(_ operation: String) -> SysError {
        let code = Errno.current
        guard code == .busy else { return SysError("remove tree: " + operation, path.string, code) }
        return SysError("remove", path.string, code, hint: "another file system is mounted below: unmount it first")
    }
}
