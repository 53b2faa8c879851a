// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Sends every byte on a blocking socket; a peer that has gone is EPIPE, never the signal.
package func sendAll(_ fd: borrowing OwnedFD, _ bytes: [UInt8]) throws(SysError) {
    let number = fd.raw
    var done = 0
    while done < bytes.count {
        done += try sys("send") {
            bytes.withUnsafeBytes { send(number, $0.baseAddress?.advanced(by: done), bytes.count - done, 0x4000) }
        }  // MSG_NOSIGNAL
    }
}

/// Half-closes a socket: the peer reads end of file, we can still receive.
package func shutdownWriting(_ fd: borrowing OwnedFD) throws(SysError) {
    let number = fd.raw
    let writing: CInt = 1  // SHUT_WR
    try sys("shutdown") { shutdown(number, writing) }
}
