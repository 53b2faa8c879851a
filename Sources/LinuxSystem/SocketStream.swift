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

/// One send(2) of what the socket takes now. Errors count as the end.
package func sendNonBlocking(_ fd: borrowing OwnedFD, _ bytes: UnsafeRawBufferPointer) -> Transfer {
    let number = fd.raw
    while true {
        let result = send(number, bytes.baseAddress, bytes.count, 0x4040)  // MSG_NOSIGNAL, MSG_DONTWAIT
        if result >= 0 { return .bytes(result) }
        let errno = Errno.current
        if errno == .interrupted { continue }
        return errno == .wouldBlock ? .wouldBlock : .ended
    }
}

/// Ends a connection in both directions, also for those who wait for it with other descriptors of it.
package func shutdownBoth(_ fd: borrowing OwnedFD) throws(SysError) {
    let number = fd.raw
    let both: CInt = 2  // SHUT_RDWR
    try sys("shutdown") { shutdown(number, both) }
}

/// Half-closes a socket: the peer reads end of file, we can still receive.
package func shutdownWriting(_ fd: borrowing OwnedFD) throws(SysError) {
    let number = fd.raw
    let writing: CInt = 1  // SHUT_WR
    try sys("shutdown") { shutdown(number, writing) }
}
