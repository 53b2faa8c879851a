// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem
import Netlink

/// The network namespaces of containers. Each is kept alive by a bind mount of its file on `<exec-root>/netns/<id>`, so
/// it outlives every process of ours, and the runtime joins it by that path.
///
/// That of a container in a user namespace belongs to that namespace, which is kept in the same way in a directory of its
/// own.
struct NetworkNamespaces: Sendable {
    let directory: FilePath
    /// The user namespaces of those containers that have one.
    let userDirectory: FilePath

    init(execRoot: FilePath) {
        directory = execRoot / "netns"
        userDirectory = execRoot / "userns"
    }

    func path(_ id: String) -> FilePath { directory / id }

    /// The user namespace that a container's network namespace belongs to; nil if that is the host's.
    func userPath(_ id: String) -> FilePath? {
        let path = userDirectory / id
        return exists(path) ? path : nil
    }

    /// The names that have a file here, mounted or not.
    func list() -> [String] { (try? listDirectory(directory)) ?? [] }

    /// Makes a namespace and mounts it at `path(id)`; a left-over file of the same name is replaced.
    func create(_ id: String, owner: NetworkOwner = .host) throws(NetworkError) -> NamespaceHandle {
        let path = path(id)
        try remove(id)
        do throws(SysError) {
            try makePlace(path)
            if owner != .host {
                let user = userDirectory / id
                try makePlace(user)
                let holder = try NamespaceHolder.start(owner)
                try holder.mount("net", on: path)
                try holder.mount("user", on: user)
            }
        } catch {
            try? remove(id)
            throw NetworkError(.internal, "network namespace: \(error.description)")
        }
        do throws(NetworkError) {
            return try NamespaceThread.run({ () throws(SysError) in try enter(path, isNew: owner == .host) })
        } catch {
            try? remove(id)
            throw error
        }
    }

    /// A file to mount a namespace on.
    private func makePlace(_ path: FilePath) throws(SysError) {
        try makeDirectories(path.parent, mode: 0o711)
        _ = try LinuxSystem.open(path, O_RDONLY | O_CREAT | O_EXCL, mode: 0o444)
    }

    /// Unmounts and removes the file; the kernel ends the namespace, its links included, when nothing else holds it.
    /// A missing one is fine.
    func remove(_ id: String) throws(NetworkError) {
        for path in [path(id), userDirectory / id] {
            do throws(SysError) {
                try unmountAll(path)
                try removeFile(path)
            } catch {
                if error.errno == .noSuchFile { continue }
                throw NetworkError(.internal, "network namespace: \(error.description)")
            }
        }
    }

    /// True if a namespace is mounted there: a plain file is what remains after a reboot.
    func isMounted(_ id: String) -> Bool {
        var info = statfs()
        return statfs(path(id).string, &info) == 0 && UInt64(truncatingIfNeeded: info.f_type) == 0x6e73_6673  // "nsfs"
    }

    /// Opens an existing namespace: its descriptor, and a netlink socket in it.
    func open(_ id: String) throws(NetworkError) -> NamespaceHandle {
        let path = path(id)
        return try NamespaceThread.run { () throws(SysError) in
            let namespace = try LinuxSystem.open(path, O_RDONLY)
            let number = namespace.raw
            try sys("setns", path.string) { setns(number, CLONE_NEWNET) }
            return try NamespaceHandle(namespace: namespace)
        }
    }
}

/// A network namespace and a netlink socket that acts in it.
struct NamespaceHandle: ~Copyable, Sendable {
    let namespace: OwnedFD
    var netlink: NetlinkSocket

    init(namespace: consuming OwnedFD) throws(SysError) {
        do throws(NetlinkError) { netlink = try NetlinkSocket() } catch {
            throw SysError(error.operation, "", error.errno)
        }
        self.namespace = namespace
    }
}

/// Runs on a thread whose network namespace may be changed: enters the one at `path`, or a new one that it mounts there,
/// and gives it the settings that all have.
private func enter(_ path: FilePath, isNew: Bool) throws(SysError) -> NamespaceHandle {
    let own = "/proc/thread-self/ns/net"
    if isNew {
        let hint = { (errno: Errno) -> String? in errno == .notPermitted ? "needs CAP_SYS_ADMIN" : nil }
        try sys("unshare(CLONE_NEWNET)", hint: hint, { unshare(CLONE_NEWNET) })
        try sys("mount", path.string) { mount(own, path.string, nil, UInt(MS_BIND), nil) }
    } else {
        try joinNamespace(try open(path, O_RDONLY), .network)
    }
    // IPv4 only but for `lo`: links that come have no link-local address, and no router advertisement is taken.
    for (scope, value) in [("all", "0"), ("default", "1")] {
        do throws(SysError) {
            try writeText(FilePath("/proc/sys/net/ipv6/conf/\(scope)/disable_ipv6"), value)
        } catch {
            if error.errno != .noSuchFile { throw error }  // a kernel without IPv6 has no such file
        }
    }
    // When its link goes up, the container tells the bridge and the host's ARP cache which port it is on now: another
    // container may have had this address, and with it the same MAC address, a moment ago.
    try? writeText(FilePath("/proc/sys/net/ipv4/conf/default/arp_notify"), "1")
    return try NamespaceHandle(namespace: try open(FilePath(own), O_RDONLY))
}

/// Runs a short piece of work in another network namespace, on a thread of its own. The caller waits.
func inNetworkNamespace<R: Sendable>(
    _ path: FilePath, _ body: @escaping () throws(SysError) -> R
) throws(SysError) -> R {
    var result: R?
    _ = try NamespaceThread.runRaw { () throws(SysError) in
        let namespace = try LinuxSystem.open(path, O_RDONLY)
        let number = namespace.raw
        try sys("setns", path.string) { setns(number, CLONE_NEWNET) }
        result = try body()
        return nil
    }
    guard let result else { throw SysError("setns", path.string, .invalidArgument) }
    return result
}

/// A thread that is made for one piece of work and ends with it, so that no other work ever runs in the namespace that
/// this one entered. The caller waits.
private enum NamespaceThread {
    /// Carries the work to the thread and its result back; pthread_join(3) orders the two accesses.
    private final class Box {
        let work: () throws(SysError) -> NamespaceHandle?
        var result: Outcome = .none

        init(_ work: @escaping () throws(SysError) -> NamespaceHandle?) { self.work = work }
    }

    private enum Outcome: ~Copyable {
        case none
        case done(NamespaceHandle?)
        case failed(SysError)
    }

    private static let threadMain: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        guard let context else { return nil }
        let box = Unmanaged<Box>.fromOpaque(context).takeUnretainedValue()
        do throws(SysError) { box.result = .done(try box.work()) } catch { box.result = .failed(error) }
        return nil
    }

    static func run(_ work: @escaping () throws(SysError) -> NamespaceHandle) throws(NetworkError) -> NamespaceHandle {
        let result: NamespaceHandle?
        do throws(SysError) { result = try runRaw(work) } catch {
            throw NetworkError(.internal, "network namespace: \(error.description)")
        }
        guard let handle = consume result else {
            throw NetworkError(.internal, "network namespace: the thread gave no result")
        }
        return handle
    }

    static func runRaw(_ work: @escaping () throws(SysError) -> NamespaceHandle?) throws(SysError) -> NamespaceHandle? {
        let box = Box(work)
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, threadMain, Unmanaged.passUnretained(box).toOpaque())
        guard code == 0 else { throw SysError("pthread_create", "", Errno(rawValue: code)) }
        pthread_join(thread, nil)
        var outcome = Outcome.none
        swap(&outcome, &box.result)
        switch consume outcome {
        case .done(let handle): return handle
        case .failed(let error): throw error
        case .none: return nil
        }
    }
}
