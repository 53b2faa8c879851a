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
