// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// pread(2): at most `count` bytes at `offset`; fewer only at the end of the file.
func readAt(_ file: borrowing OwnedFD, _ offset: Int64, _ count: Int) throws(SysError) -> [UInt8] {
    let number = file.raw
    var buffer = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
        let position = off_t(offset) + done
        let got = try sys("pread") {
            buffer.withUnsafeMutableBytes { pread(number, $0.baseAddress?.advanced(by: done), count - done, position) }
        }
        if got == 0 { break }
        done += got
    }
    buffer.removeLast(count - done)
    return buffer
}
