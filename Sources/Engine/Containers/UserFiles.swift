// SPDX-License-Identifier: Apache-2.0
import Archive
import LinuxSystem

/// /etc/passwd and /etc/group of a container that does not run.
///
/// Its layers, the writable one on top, are mounted for this only. The content is hostile: paths are resolved inside the
/// mount, only regular files are read, and only so much of them. Making one blocks: do it on a thread for that.
struct UserFiles: Sendable {
    private static let limit = 1 << 20

    var passwd: String
    var group: String

    init(rootfs: [RootMount]) throws(SysError) {
        (passwd, group) = ("", "")
        if let mount = rootfs.first { self = try UserFiles(root: try Self.open(mount)) }
    }

    /// Of a tree whose paths are resolved inside it.
    init(root: borrowing OwnedFD) throws(SysError) {
        passwd = try Self.read(root, "etc/passwd")
        group = try Self.read(root, "etc/group")
    }

    /// The same files of a process that runs.
    init(pid: Int32) throws(SysError) {
        try self.init(root: try LinuxSystem.open(FilePath("/proc/\(pid)/root"), OpenFlags.directory))
    }

    private static func open(_ mount: RootMount) throws(SysError) -> OwnedFD {
        let stack = try? LayerStack(type: mount.type, source: mount.source, options: mount.options)
        if let stack, let tree = try stack.open() { return tree }
        return try LinuxSystem.open(FilePath(mount.source), OpenFlags.directory)
    }

    private static func read(_ root: borrowing OwnedFD, _ path: String) throws(SysError) -> String {
        do throws(SysError) {
            let file = try openInRoot(root, path, OpenFlags.safeRead)
            guard isRegularFile(try status(file)) else { return "" }
            return String(decoding: try readAll(file, limit: limit, name: path), as: UTF8.self)
        } catch {
            if error.errno == .noSuchFile || error.errno == .notDirectory || error.errno == .loop { return "" }
            throw error
        }
    }
}
