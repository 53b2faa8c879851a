// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import HTTPServer
import LinuxSystem

/// A place to listen at, from `-H`.
enum Listener: Equatable, Sendable {
    case unix(FilePath)
    case tcp(host: String, port: UInt16)
    /// Sockets that systemd has opened (sd_listen_fds(3)): all, or the one with this number.
    case activated(Int?)

    /// - Parameter usesTLS: decides the port of a `tcp://` that names none, as docker has it.
    init(_ host: String, usesTLS: Bool) throws(DaemonError) {
        let (scheme, rest) = Self.split(host)
        switch scheme {
        case "unix":
            guard rest.hasPrefix("/") else { throw DaemonError("invalid -H \(host): expected unix:///absolute/path") }
            self = .unix(FilePath(rest).normalized)
        case "tcp":
            guard let (name, port) = TCPListening.address(rest, port: usesTLS ? 2376 : 2375) else {
                throw DaemonError("invalid -H \(host): invalid bind address format: expected tcp://HOST[:PORT]")
            }
            self = .tcp(host: name.isEmpty ? "localhost" : name, port: port)
        case "fd":
            if rest.isEmpty || rest == "*" {
                self = .activated(nil)
            } else if let number = Int(rest), number >= 3 {
                self = .activated(number)
            } else {
                throw DaemonError("invalid -H \(host): expected fd:// or fd://NUMBER, from 3 on")
            }
        default: throw DaemonError("invalid -H \(host): expected unix:///path, tcp://host:port or fd://")
        }
    }

    private static func split(_ host: String) -> (scheme: String, rest: String) {
        for scheme in ["unix", "tcp", "fd"] where host.hasPrefix(scheme + "://") {
            return (scheme, String(host.dropFirst(scheme.count + 3)))
        }
        // docker's older form, HOST:PORT.
        return host.contains("://") || !host.contains(":") ? ("", host) : ("tcp", host)
    }

    /// As the log and messages show it.
    var description: String {
        switch self {
        case .unix(let path): path.string
        case .tcp(let host, let port): (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
        case .activated(let number): "fd://" + (number.map { "\($0)" } ?? "")
        }
    }

    /// Whether only this machine's programs can reach it, as far as its name tells.
    var isLocal: Bool {
        guard case .tcp(let host, _) = self else { return true }
        return TCPListening.isLocal(host)
    }

    /// Listening sockets, as descriptors that the caller owns. A unix socket is only root's and the group's, from its
    /// first moment on.
    func open(group: gid_t?) throws -> [CInt] {
        switch self {
        case .unix(let path): return [try Self.openUnix(path, group).relinquish()]
        case .tcp(let host, let port): return try TCPListening.open(host: host, port: port)
        case .activated(let number): return try Self.activated(number)
        }
    }

    private static func openUnix(_ path: FilePath, _ group: gid_t?) throws -> OwnedFD {
        try makeDirectories(path.parent, mode: 0o711)
        if (try? UnixSocket.connect(path)) != nil {
            throw DaemonError("\(path.string) is in use: is another daemon running?")
        }
        let socket = try UnixSocket.listen(path, mode: 0o660)
        if let group { try sys("chown", path.string) { chown(path.string, 0, group) } }
        return socket
    }

    /// The descriptors from 3 on, if they were meant for this process.
    private static func activated(_ number: Int?) throws -> [CInt] {
        let isOurs = Environment.nonEmpty("LISTEN_PID").flatMap { pid_t($0) } == getpid()
        let count = isOurs ? Environment.nonEmpty("LISTEN_FDS").flatMap { Int($0) } ?? 0 : 0
        guard count > 0, count < 1024 else {
            throw DaemonError(
                "no sockets found via socket activation: make sure the service was started by systemd")
        }
        let all = (3..<3 + count).map { CInt($0) }
        for descriptor in all { try TCPListening.setCloseOnExec(descriptor) }
        guard let number else { return all }
        guard number < 3 + count else { throw DaemonError("too few socket activated files passed in by systemd") }
        return [CInt(number)]
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
