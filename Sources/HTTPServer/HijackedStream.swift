// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem
import NIOCore

/// A connection that has stopped being HTTP: bytes both ways until the handler returns, which closes it. Reading and
/// writing may go on in two tasks at once.
package struct HijackedStream: Sendable {
    let reader: ConnectionReader
    let output: ByteOutlet
    let gone: ClosingSignal

    /// What the client sent, or nil once it has closed its sending side; it may still read then.
    package func read() async throws -> [UInt8]? { try await reader.nextRaw() }

    /// Suspends while the client does not read; throws when it has gone.
    package func write(_ bytes: [UInt8]) async throws { try await output.writePart(ByteBuffer(bytes: bytes)) }

    /// A second descriptor of the client's socket, if all that is written goes there as it is.
    package func plainSocket() -> OwnedFD? { try? output.socket?.descriptor.duplicate() }

    /// Suspends until the client has gone altogether, or the task is cancelled. A handler that waits for anything but
    /// the client must watch this, or it outlives a client that sends nothing and is sent nothing. One task at a time.
    package func waitUntilGone() async { await gone.wait() }
}
