// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// An owned descriptor behind a reference, for properties that may be without one: closed with its last holder.
final class Descriptor {
    let fd: OwnedFD

    init(_ fd: consuming OwnedFD) { self.fd = fd }

    var raw: Int32 { fd.raw }

    func duplicate() throws(SysError) -> Descriptor { Descriptor(try fd.duplicate()) }

    /// pipe2(2)
    static func pipe() throws(SysError) -> (read: Descriptor, write: Descriptor) {
        try Pipe().withEnds { (read, write) in (Descriptor(read), Descriptor(write)) }
    }
}
