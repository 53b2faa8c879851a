// SPDX-License-Identifier: Apache-2.0

/// A client's end of a hijacked connection.
package protocol ByteStream: Sendable {
    /// What the client sent, or nil once it has closed its sending side.
    func read() async throws -> [UInt8]?
    /// Suspends while the client does not read; throws when it has gone.
    func write(_ bytes: [UInt8]) async throws
    /// Suspends until the client has gone altogether, so that it neither sends nor reads; or the task is cancelled.
    /// What it sent before can still be read. One task at a time.
    func waitUntilGone() async
}
