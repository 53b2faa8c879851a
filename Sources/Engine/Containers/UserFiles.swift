// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// /etc/passwd and /etc/group of a container that does not run.
///
/// Its layers, the writable one on top, are mounted read-only, detached and without devices: nobody else sees the
/// mount, and it ends with its descriptor. The content is hostile: paths are resolved inside the mount, only regular
/// files are read, and only so much of them.
struct UserFiles: Sendable {
    private static let limit = 1 << 20

    var passwd: String
    var group: String

    init(rootfs: [ContainerRecord.RootMount]) throws(SysError) {
        guard let mount = rootfs.first else {
            (passwd, group) = ("", "")
            return
        }
        let root = try Self.open(mount)
        passwd = try Self.read(root, "etc/passwd")
        group = try Self.read(root, "etc/group")
    }

    /// The same files of a process that runs.
    init(pid: Int32) throws(SysError) {
        let root = try LinuxSystem.open(FilePath("/proc/\(pid)/root"), OpenFlags.directory)
        passwd = try Self.read(root, "etc/passwd")
        group = try Self.read(root, "etc/group")
    }

    private static func open(_ mount: ContainerRecord.RootMount) throws(SysError) -> OwnedFD {
        guard mount.type == "overlay" else {
            return try LinuxSystem.open(FilePath(mount.source), OpenFlags.directory)
        }
        let layers = values("upperdir", mount.options) + values("lowerdir", mount.options)
        if layers.count == 1 { return try LinuxSystem.open(FilePath(layers[0]), OpenFlags.directory) }
        let attributes: MountAttributes = [.readOnly, .noDev, .noSuid, .noExec]
        do throws(SysError) {
            return try overlay(layers.map { "lowerdir+=" + $0 }, attributes)
        } catch {
            guard error.errno == .invalidArgument else { throw error }
            return try overlay(["lowerdir=" + layers.joined(separator: ":")], attributes)  // before Linux 6.8
        }
    }

    private static func overlay(_ options: [String], _ attributes: MountAttributes) throws(SysError) -> OwnedFD {
        let tree = try MountTree.new(type: "overlay", source: "overlay", options: options, attributes: attributes)
        return try openInRoot(tree.fd, "/", OpenFlags.directory)
    }

    private static func values(_ key: String, _ options: [String]) -> [String] {
        guard let option = options.first(where: { $0.hasPrefix(key + "=") }) else { return [] }
        return option.dropFirst(key.utf8.count + 1).split(separator: ":").map { String($0) }
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
