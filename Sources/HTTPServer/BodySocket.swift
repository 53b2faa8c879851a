// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// The client's socket for a thread that writes a response's body. Every function waits while the client does not read, and
/// fails with EPIPE when it has gone.
package struct BodySocket: Sendable {
    let client: ClientSocket
    let isChunked: Bool

    package func write(_ bytes: UnsafeRawBufferPointer) throws(SysError) {
        if bytes.isEmpty { return }  // an empty chunk would end the body
        try begin(bytes.count)
        try client.send(bytes)
        try end()
    }

    /// Sends the next `count` bytes of a file, and zeros where it has ended. The kernel moves them without copying, if it
    /// can; else they go by way of `buffer`.
    package func write(
        _ file: borrowing OwnedFD, count: Int, using buffer: UnsafeMutableRawBufferPointer
    ) throws(SysError) {
        if count == 0 { return }
        try begin(count)
        var left = count - (try spliceAll(file, client.descriptor, count))
        while left > 0 {
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(left))
            try readPadded(file, into: piece)
            try client.send(UnsafeRawBufferPointer(piece))
            left -= piece.count
        }
        try end()
    }

    /// Ends the connection, and the wait of a thread for it.
    package func shutDown() { client.shutDown() }

    /// Says how long the chunk is that follows (RFC 9112 §7.1).
    private func begin(_ count: Int) throws(SysError) {
        if isChunked { try client.send(String(count, radix: 16) + "\r\n") }
    }

    private func end() throws(SysError) {
        if isChunked { try client.send("\r\n") }
    }
}
