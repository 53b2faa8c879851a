// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxSystem

/// The directory that a shim works in, `<state>/shims/<namespace>/<id>`:
///
///     config.json       the OCI spec
///     rootfs/           where the shim mounts the root file system
///     shim-binary-path  the shim's program
///     address           the shim's socket, once it serves
///     exit              how init ended, once that is known: kept for the time after the shim's death
///     log               a FIFO for the shim's own log messages (shims of others write there)
///     work/             files of the shim's that are of use to people (criu's logs; shims of others)
///
/// Shims keep files of their own beside these (containerd's: options.json, runtime, init.pid).
///
/// What is written here must survive our own death, not the machine's: after a power failure there is no task that it
/// could describe. So files are replaced atomically, but nothing waits for the disk.
struct Bundle: Sendable {
    let key: TaskKey
    let path: FilePath

    init(_ key: TaskKey, shims: FilePath) {
        self.key = key
        path = shims / key.namespace / key.id
    }

    var rootfs: FilePath { path / "rootfs" }
    var log: FilePath { path / "log" }
    var work: FilePath { path / "work" }

    /// Makes the directory with everything that the shim needs at its start.
    func create(spec: [UInt8], runtime: FilePath) throws {
        try makeSpreadDirectory(path.parent, mode: 0o711)
        try sys("mkdir", path.string) { mkdir(path.string, 0o711) }
        do {
            try makeDirectory(rootfs, mode: 0o711)
            try replaceFile(path / "config.json", spec)
            try replaceFile(path / "shim-binary-path", Array(runtime.string.utf8))
        } catch {
            try? removeTree(path)
            throw error
        }
    }

    func writeAddress(_ address: FilePath) throws(SysError) {
        try replaceFile(path / "address", Array(("unix://" + address.string).utf8))
    }

    /// The shim's socket; nil if the shim never came so far.
    func address() -> FilePath? {
        guard let text = try? readText(path / "address"), !text.isEmpty else { return nil }
        return FilePath(text.hasPrefix("unix://") ? String(text.dropFirst("unix://".count)) : text)
    }

    func runtime() throws(SysError) -> FilePath { FilePath(try readText(path / "shim-binary-path")) }

    func writeExit(_ exit: TaskExit) throws(SysError) {
        let text = "\(exit.pid) \(exit.status) \(exit.exitedAt.nanoseconds)"
        try replaceFile(path / "exit", Array(text.utf8))
    }

    func exit() -> TaskExit? {
        guard let text = try? readText(path / "exit") else { return nil }
        let fields = text.split(separator: " ")
        guard fields.count == 3, let pid = UInt32(fields[0]), let status = UInt32(fields[1]),
            let time = Int64(fields[2])
        else { return nil }
        return TaskExit(pid: pid, status: status, exitedAt: Timestamp(nanoseconds: time))
    }

    /// Unmounts what the shim may have left and removes the directory.
    func remove() throws(SysError) {
        while umount2(rootfs.string, CInt(MNT_DETACH) | UMOUNT_NOFOLLOW_FLAG) == 0 {}  // until nothing is mounted there
        try removeTree(path)
    }

    /// Every bundle below `shims`.
    static func all(shims: FilePath) throws -> [Bundle] {
        guard exists(shims) else { return [] }
        return try listDirectory(shims).flatMap { namespace in
            try listDirectory(shims / namespace).map { Bundle(TaskKey(namespace: namespace, id: $0), shims: shims) }
        }
    }
}

/// Gives `path` new content so that a reader, now or after our death, sees the old or the new one whole.
private func replaceFile(_ path: FilePath, _ bytes: [UInt8]) throws(SysError) {
    let temporary = FilePath(path.string + ".new")
    let file = try open(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
    try writeAll(file, bytes)
    try rename(temporary, path)
}

private let UMOUNT_NOFOLLOW_FLAG: CInt = 8
