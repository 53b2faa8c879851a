// SPDX-License-Identifier: Apache-2.0
import CLinux

/// A file that exists in memory only (memfd_create(2)), close-on-exec.
package func makeMemoryFile(_ name: String) throws(SysError) -> OwnedFD {
    let closeOnExec: UInt32 = 1  // MFD_CLOEXEC
    return OwnedFD(owning: try sys("memfd_create", name) { swrun_memfd_create(name, closeOnExec) })
}
