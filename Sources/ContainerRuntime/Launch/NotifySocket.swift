// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import OCISpec

/// Readiness, as a program tells its service manager (sd_notify(3)): the container gets a socket of its own at
/// `/run/notify/notify.sock`, and what it says there of being ready goes on to the host's, with the pid to look after.
package struct NotifySocket: Sendable, Equatable {
    /// The service manager's socket: a path, or an abstract name behind `@`.
    let host: FilePath
    /// The directory with the container's socket, as the host sees it.
    let directory: FilePath

    /// Nil if nobody wants to be notified (`$NOTIFY_SOCKET`).
    init?(of id: String, in store: ContainerStore) {
        guard let host = Environment.nonEmpty("NOTIFY_SOCKET") else { return nil }
        self.host = FilePath(host)
        directory = store.directory(id) / "notify"
    }

    /// Shows the socket in a container.
    func add(to spec: inout RuntimeSpec) {
        spec.mounts.append(
            RuntimeMount(
                destination: "/run/notify", source: directory.string,
                options: ["bind", "nosuid", "noexec", "nodev", "ro"]))
        spec.process?.environment.append("NOTIFY_SOCKET=/run/notify/" + socketName)
    }

    func makeDirectory() throws(RuntimeError) {
        let path = directory.string
        try step("make the notify socket") { () throws(SysError) in try sys("mkdir", path) { mkdir(path, 0o755) } }
    }

    /// Listens for the container; nil if the container was created without a socket.
    func listen() throws(RuntimeError) -> Readiness? {
        guard exists(directory) else { return nil }
        let socket = try step("make the notify socket") { () throws(SysError) in
            try UnixSocket.bindDatagram(directory / socketName, mode: 0o777)
        }
        return Readiness(socket: socket, host: host)
    }
}

private let socketName = "notify.sock"

/// A container's notify socket that is listened to.
@usableFromInline struct Readiness: ~Copyable {
    fileprivate let socket: OwnedFD
    fileprivate let host: FilePath

    /// Readable when there is a message.
    var raw: CInt { socket.raw }

    /// Waits until the container is ready, which the host is then told, or its process has ended.
    borrowing func forward(of pid: Int32, _ process: borrowing OwnedFD) throws(RuntimeError) {
        try step("wait for the container to be ready") { () throws(SysError) in
            while try waitReadable([socket.raw, process.raw]).contains(0) {
                if try pass(on: pid, waits: true) { return }
            }
        }
    }

    /// Takes one message of the container; if it is of being ready, tells the host that and that it should look after
    /// `pid`. With `waits` this returns once the service manager has read it: it learns who sent a message by looking at
    /// the sender, which may be gone too soon.
    ///
    /// - Returns: whether it was of being ready.
    borrowing func pass(on pid: Int32, waits: Bool) throws(SysError) -> Bool {
        let lines = try readSome(socket, upTo: 4096).split(separator: UInt8(ascii: "\n"))
        guard let ready = lines.first(where: { $0.starts(with: "READY=".utf8) }) else { return false }
        let manager = try UnixSocket.connect(host, datagrams: true)
        try writeAll(manager, Array(ready) + [UInt8(ascii: "\n")])
        try writeAll(manager, Array("MAINPID=\(pid)\n".utf8))
        try synchronize(manager, waits: waits)
        return true
    }
}

/// sd_notify_barrier(3): the manager closes the descriptor that comes with the message when it gets to it.
private func synchronize(_ manager: borrowing OwnedFD, waits: Bool) throws(SysError) {
    let pipe = try Pipe()
    let target = manager.raw
    var descriptor = pipe.write.raw
    let message = Array("BARRIER=1".utf8)
    try sys("sendmsg", "notify socket") {
        message.withUnsafeBytes { swrun_send_fds(target, $0.baseAddress, $0.count, &descriptor, 1) }
    }
    close(pipe.write)
    // One that does not know the message does not close it either.
    if waits { _ = try waitReadable([pipe.read.raw], timeoutMilliseconds: 30_000) }
}
