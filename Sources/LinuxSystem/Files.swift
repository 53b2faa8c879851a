// SPDX-License-Identifier: Apache-2.0
package import CLinux

/// open(2) with O_CLOEXEC always added.
package func open(_ path: FilePath, _ flags: CInt, mode: mode_t = 0) throws(SysError) -> OwnedFD {
    OwnedFD(owning: try sys("open", path.string) { swrun_open(path.string, flags | O_CLOEXEC, mode) })
}

/// openat(2) with O_CLOEXEC always added.
package func openAt(
    _ directory: borrowing OwnedFD, _ name: String, _ flags: CInt, mode: mode_t = 0
) throws(SysError) -> OwnedFD {
    let dir = directory.raw
    return OwnedFD(owning: try sys("openat", name) { swrun_openat(dir, name, flags | O_CLOEXEC, mode) })
}

/// Reads at most `count` bytes; an empty result is the end of the file.
package func readSome(_ fd: borrowing OwnedFD, upTo count: Int) throws(SysError) -> [UInt8] {
    let number = fd.raw
    var failure: SysError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { space, used in
        do throws(SysError) { used = try sys("read") { read(number, space.baseAddress, count) } } catch {
            failure = error
        }
    }
    if let failure { throw failure }
    return bytes
}

/// One read(2) into memory that is there already; 0 at the end.
package func readSome(_ fd: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer) throws(SysError) -> Int {
    let number = fd.raw
    return try sys("read") { read(number, buffer.baseAddress, buffer.count) }
}

/// Fills the whole buffer from a file; with zeros where the file has ended.
package func readPadded(_ fd: borrowing OwnedFD, into buffer: UnsafeMutableRawBufferPointer) throws(SysError) {
    var filled = 0
    while filled < buffer.count {
        let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
        let count = try readSome(fd, into: rest)
        if count == 0 {
            rest.initializeMemory(as: UInt8.self, repeating: 0)
            return
        }
        filled += count
    }
}

/// Writes every byte, however many calls it takes. The descriptor must be blocking.
package func writeAll(_ fd: borrowing OwnedFD, _ bytes: [UInt8]) throws(SysError) {
    try bytes.withUnsafeBufferPointer { (buffer) throws(SysError) in try writeAll(fd, UnsafeRawBufferPointer(buffer)) }
}

/// The same from memory that is no array.
package func writeAll(_ fd: borrowing OwnedFD, _ bytes: UnsafeRawBufferPointer) throws(SysError) {
    let number = fd.raw
    var done = 0
    while done < bytes.count {
        done += try sys("write") { write(number, bytes.baseAddress?.advanced(by: done), bytes.count - done) }
    }
}

/// Reads all that `fd` gives, failing with EFBIG once it is more than `limit` bytes.
package func readAll(_ fd: borrowing OwnedFD, limit: Int, name: String = "") throws(SysError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
        // Most files are small, and a large buffer would be mapped and unmapped for each.
        let chunk = try readSome(fd, upTo: bytes.count < 65536 ? 4096 : 65536)
        if chunk.isEmpty { return bytes }
        bytes.append(contentsOf: chunk)
        if bytes.count > limit { throw SysError("read", name, .fileTooBig, hint: "more than \(limit) bytes") }
    }
}

/// Reads a whole file of at most `limit` bytes.
package func readFile(_ path: FilePath, limit: Int = 16 << 20) throws(SysError) -> [UInt8] {
    try readAll(try open(path, O_RDONLY), limit: limit, name: path.string)
}

/// A whole small file as text, without its trailing newline: for procfs, sysfs and cgroup files.
package func readText(_ path: FilePath, limit: Int = 1 << 20) throws(SysError) -> String {
    var bytes = try readFile(path, limit: limit)
    while bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
}

/// Writes text to an existing file in one write(2), as kernel interfaces ask for.
package func writeText(_ path: FilePath, _ text: String) throws(SysError) {
    let fd = try open(path, O_WRONLY)
    let bytes = Array(text.utf8)
    let number = fd.raw
    try sys("write", path.string) { bytes.withUnsafeBytes { write(number, $0.baseAddress, bytes.count) } }
}

/// Replaces `path` so that a crash at any moment leaves the old or the new content: temporary file, fsync, rename,
/// fsync of the directory.
package func writeFileAtomically(_ path: FilePath, _ bytes: [UInt8], mode: mode_t = 0o600) throws(SysError) {
    let temporary = FilePath(path.string + ".tmp-" + String(getpid()) + "-" + String(monotonicNanoseconds()))
    do throws(SysError) {
        let fd = try open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
        try writeAll(fd, bytes)
        try syncFile(fd)
        try rename(temporary, path)
    } catch {
        _ = try? removeFile(temporary)
        throw error
    }
    try syncDirectory(path.parent)
}

package func syncFile(_ fd: borrowing OwnedFD) throws(SysError) {
    let number = fd.raw
    try sys("fsync") { fsync(number) }
}

/// Makes the names in a directory durable.
package func syncDirectory(_ path: FilePath) throws(SysError) {
    try syncFile(try open(path, O_RDONLY | O_DIRECTORY))
}

package func rename(_ from: FilePath, _ to: FilePath) throws(SysError) {
    try sys("rename", from.string + " to " + to.string) { swrun_rename(from.string, to.string) }
}

/// unlink(2); a missing file is an error (`noSuchFile`).
package func removeFile(_ path: FilePath) throws(SysError) {
    try sys("unlink", path.string) { unlink(path.string) }
}

package func removeEmptyDirectory(_ path: FilePath) throws(SysError) {
    try sys("rmdir", path.string) { rmdir(path.string) }
}

package func exists(_ path: FilePath) -> Bool {
    var info = stat()
    return lstat(path.string, &info) == 0
}

/// stat(2) of the open file.
package func status(_ fd: borrowing OwnedFD) throws(SysError) -> stat {
    let number = fd.raw
    var info = stat()
    try sys("fstat") { fstat(number, &info) }
    return info
}

/// stat(2), or lstat(2) if `follow` is false.
package func status(_ path: FilePath, follow: Bool = true) throws(SysError) -> stat {
    var info = stat()
    try sys("stat", path.string) { follow ? stat(path.string, &info) : lstat(path.string, &info) }
    return info
}

/// Which file it is, whatever its name: names with the same identity are names of one file.
package struct FileIdentity: Hashable, Sendable {
    private let device: UInt64
    private let inode: UInt64

    package init(_ info: stat) { (device, inode) = (UInt64(info.st_dev), UInt64(info.st_ino)) }
}

package func isDirectory(_ info: stat) -> Bool { info.st_mode & 0o170000 == 0o040000 }

package func isRegularFile(_ info: stat) -> Bool { info.st_mode & 0o170000 == 0o100000 }

package func isSymbolicLink(_ info: stat) -> Bool { info.st_mode & 0o170000 == 0o120000 }
