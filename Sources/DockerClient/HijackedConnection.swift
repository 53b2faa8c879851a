// SPDX-License-Identifier: Apache-2.0

/// A connection that has left HTTP and carries a container's streams both ways.
package final class HijackedConnection {
    private let connection: HTTPConnection
    /// The daemon's Content-Type: `…multiplexed-stream` or `…raw-stream`.
    package let contentType: String?
    /// Input that the daemon has not taken yet: who answers to his input takes the rest once we have taken the answers.
    private var queued: ArraySlice<UInt8> = []

    init(_ connection: HTTPConnection, contentType: String?) {
        self.connection = connection
        self.contentType = contentType
    }

    package var descriptor: CInt { connection.descriptor }
    package var hasBuffered: Bool { connection.hasBuffered }

    /// What has arrived, at least one byte; empty at the end.
    package func receive() throws(ClientError) -> [UInt8] { try connection.receive() }

    package func send(_ bytes: [UInt8]) throws(ClientError) { try connection.send(bytes) }

    /// Whether input waits to be sent; no more is to be read before it is.
    package var hasQueued: Bool { !queued.isEmpty }

    /// Keeps input for `sendQueued`.
    package func queue(_ bytes: [UInt8]) { queued = bytes[...] }

    /// Sends what goes at once; to be called when poll(2) says that the descriptor can be written to. What is left by an
    /// error is dropped.
    package func sendQueued() throws(ClientError) {
        do { queued = queued.dropFirst(try connection.sendSome(queued)) } catch {
            queued = []
            throw error
        }
    }

    /// Tells the container that its input has ended; its output goes on.
    package func closeWriting() { connection.closeWriting() }
}
