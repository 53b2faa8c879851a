// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Descriptors 0, 1 and 2, which nobody in this program owns.
package enum StandardStreams {
    /// Writes every byte to standard output (1) or error (2), also when somebody made it non-blocking.
    package static func write(_ fd: CInt, _ bytes: [UInt8]) throws(SysError) {
        var done = 0
        while done < bytes.count {
            let result = bytes.withUnsafeBytes { buffer in
                CLinux.write(fd, buffer.baseAddress?.advanced(by: done), bytes.count - done)
            }
            if result >= 0 {
                done += result
                continue
            }
            let errno = Errno.current
            if errno == .interrupted { continue }
            guard errno == .wouldBlock else { throw SysError("write", fd == 2 ? "/dev/stderr" : "/dev/stdout", errno) }
            let writable: Int16 = 4  // POLLOUT
            var entry = pollfd(fd: fd, events: writable, revents: 0)
            _ = poll(&entry, 1, -1)
        }
    }

    /// What can be read from standard input now, waiting for at least one byte; empty at its end.
    package static func readInput(upTo count: Int = 65536) throws(SysError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let got = try sys("read", "/dev/stdin") {
            buffer.withUnsafeMutableBytes { read(0, $0.baseAddress, count) }
        }
        buffer.removeLast(count - got)
        return buffer
    }
}
