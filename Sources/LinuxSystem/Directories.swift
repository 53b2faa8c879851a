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

/// Makes a directory and its missing parents, all with `mode`. What had to be made belongs to `owner`, if one is given.
package func makeDirectories(_ path: FilePath, mode: mode_t = 0o755, owner: FileOwner? = nil) throws(SysError) {
    var current = FilePath(path.isAbsolute ? "/" : "")
    for component in path.components {
        current = current / component
        let isNew = owner != nil && !exists(current)
        try makeDirectory(current, mode: mode)
        if isNew, let owner { try changeOwner(current, owner) }
    }
}

/// chmod(2)
package func changeMode(_ path: FilePath, _ mode: mode_t) throws(SysError) {
    try sys("chmod", path.string) { chmod(path.string, mode) }
}

/// chown(2)
package func changeOwner(_ path: FilePath, _ owner: FileOwner) throws(SysError) {
    try sys("chown", path.string) { chown(path.string, owner.uid, owner.gid) }
}

/// The names in a directory, without `.` and `..`, in the order the kernel gives them.
package func listDirectory(_ path: FilePath) throws(SysError) -> [String] {
    guard let stream = opendir(path.string) else { throw SysError("opendir", path.string, .current) }
    defer { closedir(stream) }
    var names: [String] = []
    forEachEntry(of: stream) { names.append(String(cString: $0)) }
    return names
}

/// Calls `body` with the name of each entry of an open directory but `.` and `..`: bytes that need not be text, good for
/// that call. The descriptor's own position stays, and O_PATH is enough. `path` is for errors.
package func forEachEntry(
    of directory: CInt, _ path: FilePath, _ body: (UnsafePointer<CChar>) throws(SysError) -> Void
) throws(SysError) {
    let copy = swrun_openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
    guard copy >= 0 else { throw SysError("open directory", path.string, .current) }
    guard let stream = fdopendir(copy) else {
        let error = SysError("fdopendir", path.string, .current)
        close(copy)
        throw error
    }
    defer { closedir(stream) }
    try forEachEntry(of: stream, body)
}

private func forEachEntry<Failure: Error>(
    of stream: OpaquePointer, _ body: (UnsafePointer<CChar>) throws(Failure) -> Void
) throws(Failure) {
    while let entry = readdir(stream) {
        guard let name = swrun_entry_name(entry) else { continue }
        if name[0] == 46, name[1] == 0 || (name[1] == 46 && name[2] == 0) { continue }  // . and ..
        try body(name)
    }
}
