// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import ShimAPI

/// What all parts of a serving shim share.
final class ShimContext {
    let loop: EventLoop
    let reaper: Reaper
    let events: EventPublisher
    let namespace: String
    /// The shim's own socket; console sockets lie beside it, since their paths must be short.
    let socketPath: FilePath
    private var consoles = 0

    init(loop: EventLoop, namespace: String, socketPath: FilePath) throws(SysError) {
        self.loop = loop
        self.namespace = namespace
        self.socketPath = socketPath
        reaper = try Reaper(loop: loop)
        events = EventPublisher(address: Environment.value("TTRPC_ADDRESS"), namespace: namespace, loop: loop)
    }

    func makeConsoleSocket() throws(SysError) -> ConsoleSocket {
        consoles += 1
        return try ConsoleSocket(path: FilePath(socketPath.string + "." + String(consoles)), loop: loop)
    }
}
