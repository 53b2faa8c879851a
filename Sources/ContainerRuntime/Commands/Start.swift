// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import OCISpec

var startCommand: Command {
    Command(
        name: "start", help: "let a created container run its program", usage: "CONTAINER-ID", flags: [],
        arity: .exactly(1)
    ) { invocation throws(RuntimeError) in
        let container = try invocation.container()
        switch container.status {
        case .created: break
        case .stopped: throw RuntimeError("cannot start a container that has stopped")
        default: throw RuntimeError("cannot start an already running container")
        }
        let readiness = try NotifySocket(of: invocation.id, in: invocation.store)?.listen()
        let process = try openGate(container)
        try runHooks(container.record.poststart, named: "poststart", state: container.state(.running))
        try readiness?.forward(of: container.record.pid, process)
        return 0
    }
}

/// Opens the fifo that the container's process waits at and takes its byte. Of several that try at once, one gets it.
///
/// - Returns: the process, as a pidfd.
private func openGate(_ container: Container) throws(RuntimeError) -> OwnedFD {
    guard let process = try container.openInit() else {
        throw RuntimeError("cannot start a container that has stopped")
    }
    let path = container.store.fifo(container.record.id)
    let fifo: OwnedFD
    do throws(SysError) { fifo = try open(path, O_RDONLY | O_NONBLOCK) } catch {
        if error.errno == .noSuchFile { throw RuntimeError("cannot start an already running container") }
        throw RuntimeError(error.description)
    }
    var entries = (
        pollfd(fd: fifo.raw, events: Int16(POLLIN), revents: 0),
        pollfd(fd: process.raw, events: Int16(POLLIN), revents: 0)
    )
    try step("wait for the container") { () throws(SysError) in
        try sys("poll") {
            withUnsafeMutablePointer(to: &entries) { pointer in
                pointer.withMemoryRebound(to: pollfd.self, capacity: 2) { poll($0, 2, -1) }
            }
        }
    }
    var byte: UInt8 = 0
    guard read(fifo.raw, &byte, 1) == 1 else {
        throw RuntimeError(
            container.isAlive
                ? "cannot start an already running container" : "container process is already dead")
    }
    try? removeFile(path)
    return process
}
