// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// A place to listen at, from `-H`.
struct Listener {
    let path: FilePath

    init(_ host: String) throws(DaemonError) {
        switch host.split(separator: ":", maxSplits: 1).first {
        case "unix":
            guard host.hasPrefix("unix:///") else {
                throw DaemonError("invalid -H \(host): expected unix:///absolute/path")
            }
            path = FilePath(String(host.dropFirst("unix://".count))).normalized
        case "tcp":
            throw DaemonError(
                "-H \(host): listening on TCP is not implemented by swrun yet, and it would need TLS: whoever may "
                    + "talk to the daemon is root on this machine")
        case "fd":
            throw DaemonError("-H \(host): socket activation is not implemented by swrun yet")
        default:
            throw DaemonError("invalid -H \(host): expected unix:///path")
        }
    }

    /// A listening socket that only root and the group may use, from its first moment on.
    func open(group: gid_t?) throws -> OwnedFD {
        try makeDirectories(path.parent, mode: 0o711)
        if (try? UnixSocket.connect(path)) != nil {
            throw DaemonError("\(path.string) is in use: is another daemon running?")
        }
        let socket = try UnixSocket.listen(path, mode: 0o660)
        if let group { try sys("chown", path.string) { chown(path.string, 0, group) } }
        return socket
    }

    /// The id of a group of /etc/group, or of a number. `docker` is only looked for, others must exist.
    static func groupID(_ name: String) throws(DaemonError) -> gid_t? {
        if name.isEmpty { return nil }
        if let number = gid_t(name) { return number }
        let lines = ((try? readText(FilePath("/etc/group"))) ?? "").split(separator: "\n")
        for fields in lines.map({ $0.split(separator: ":", omittingEmptySubsequences: false) })
        where fields.count >= 3 && fields[0] == name {
            if let id = gid_t(fields[2]) { return id }
        }
        throw DaemonError("group \(name) not found")
    }
}
