// SPDX-License-Identifier: Apache-2.0
package import CLinux

/// Makes one directory; an existing directory is fine, and its mode is left alone.
package func makeDirectory(_ path: FilePath, mode: mode_t = 0o755) throws(SysError) {
    do throws(SysError) {
        try sys("mkdir", path.string) { mkdir(path.string, mode) }
    } catch {
        guard error.errno == .exists else { throw error }
        guard try isDirectory(status(path)) else { throw error }
    }
}

/// Makes a directory and its missing parents, all with `mode`.
package func makeDirectories(_ path: FilePath, mode: mode_t = 0o755) throws(SysError) {
    var current = FilePath(path.isAbsolute ? "/" : "")
    for component in path.components {
        current = current / component
        try makeDirectory(current, mode: mode)
    }
}

/// The names in a directory, without `.` and `..`, in the order the kernel gives them.
package func listDirectory(_ path: FilePath) throws(SysError) -> [String] {
    guard let stream = opendir(path.string) else { throw SysError("opendir", path.string, .current) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != "." && name != ".." { names.append(name) }
    }
    return names
}

/// Removes a directory tree without following symbolic links and without crossing into another file system (a mount
/// below fails with EBUSY rather than losing what is mounted there). A missing tree is fine.
package func removeTree(_ path: FilePath) throws(SysError) {
    let info: stat
    do throws(SysError) { info = try status(path, follow: false) } catch {
        if error.errno == .noSuchFile { return }
        throw error
    }
    try removeTree(path, device: info.st_dev)
}

private func removeTree(_ path: FilePath, device: dev_t) throws(SysError) {
    let info = try status(path, follow: false)
    guard isDirectory(info) else { return try removeFile(path) }
    guard info.st_dev == device else {
        throw SysError("remove", path.string, .busy, hint: "another file system is mounted here: unmount it first")
    }
    for name in try listDirectory(path) { try removeTree(path / name, device: device) }
    try removeEmptyDirectory(path)
}
