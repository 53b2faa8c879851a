// SPDX-License-Identifier: Apache-2.0
import Glibc
package import LinuxSystem
import Synchronization
import Threads

/// A ttrpc server on a unix socket: one thread accepts, one reads each connection, handlers run as tasks. A handler's
/// task is cancelled when its connection ends.
package final class TTRPCServer: Sendable {
    private let listener: OwnedFD
    private let handlers: RPCHandlerTable
    private let connections = Mutex<[ObjectIdentifier: ServerConnection]>([:])
    private let isStopped = Mutex(false)

    /// Serves `listener`, a listening socket, from now until `stop`.
    package init(_ listener: consuming OwnedFD, handlers: RPCHandlerTable) {
        self.listener = listener
        self.handlers = handlers
        detachThread { [self] in acceptAll() }
    }

    /// Binds `path`, replacing a stale socket, and serves it.
    package static func listen(
        path: FilePath, mode: UInt32 = 0o660, handlers: RPCHandlerTable
    ) throws(SysError) -> TTRPCServer {
        TTRPCServer(try UnixSocket.listen(path, mode: mode), handlers: handlers)
    }

    /// Accepts no more, and ends every connection.
    package func stop() {
        isStopped.withLock { $0 = true }
        shutdown(listener.raw, CInt(SHUT_RDWR))  // wakes accept(2), which then fails
        for connection in connections.withLock({ Array($0.values) }) { connection.close() }
    }

    private func acceptAll() {
        while !isStopped.withLock({ $0 }) {
            do throws(SysError) {
                start(try UnixSocket.accept(listener))
            } catch {
                if isStopped.withLock({ $0 }) { return }
                usleep(50_000)  // out of descriptors, most likely: let some connections end
            }
        }
    }

    private func start(_ socket: consuming OwnedFD) {
        let connection = ServerConnection(socket, handlers: handlers)
        let key = ObjectIdentifier(connection)
        connections.withLock { $0[key] = connection }
        connection.start { [weak self] in self?.connections.withLock { $0[key] = nil } }
    }
}
