// SPDX-License-Identifier: Apache-2.0

/// A connection that has left HTTP and carries a container's streams both ways.
package final class HijackedConnection {
    private let connection: HTTPConnection
    /// The daemon's Content-Type: `…multiplexed-stream` or `…raw-stream`.
    package let contentType: String?

    init(_ connection: HTTPConnection, contentType: String?) {
        self.connection = connection
        self.contentType = contentType
    }

    package var descriptor: CInt { connection.descriptor }
    package var hasBuffered: Bool { connection.hasBuffered }

    /// What has arrived, at least one byte; empty at the end.
    package func receive() throws(ClientError) -> [UInt8] { try connection.receive() }

    package func send(_ bytes: [UInt8]) throws(ClientError) { try connection.send(bytes) }

    /// Sends what goes at once, and returns how much that was.
    package func sendSome(_ bytes: ArraySlice<UInt8>) throws(ClientError) -> Int { try connection.sendSome(bytes) }

    /// Tells the container that its input has ended; its output goes on.
    package func closeWriting() { connection.closeWriting() }
}
