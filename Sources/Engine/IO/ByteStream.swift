// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// A client's end of a hijacked connection.
package protocol ByteStream: Sendable {
    /// What the client sent, or nil once it has closed its sending side.
    func read() async throws -> [UInt8]?
    /// Suspends while the client does not read; throws when it has gone.
    func write(_ bytes: [UInt8]) async throws
    /// Suspends until the client has gone altogether, so that it neither sends nor reads; or the task is cancelled.
    /// What it sent before can still be read. One task at a time.
    func waitUntilGone() async
    /// A second descriptor of the client's non-blocking socket, if what `write` is given goes there as it is and nothing
    /// waits to be sent; whoever has it writes to it and no more to the stream.
    func plainSocket() -> OwnedFD?
}

extension ByteStream {
    package func plainSocket() -> OwnedFD? { nil }
}
