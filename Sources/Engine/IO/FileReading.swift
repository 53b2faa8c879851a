// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// pread(2): at most `count` bytes at `offset`; fewer only at the end of the file.
func readAt(_ file: borrowing OwnedFD, _ offset: Int64, _ count: Int) throws(SysError) -> [UInt8] {
    let number = file.raw
    var failure: SysError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
        do throws(SysError) {
            while done < count {
                let (place, position) = (buffer.baseAddress?.advanced(by: done), off_t(offset) + done)
                let got = try sys("pread") { pread(number, place, count - done, position) }
                if got == 0 { break }
                done += got
            }
        } catch { failure = error }
    }
    if let failure { throw failure }
    return bytes
}
