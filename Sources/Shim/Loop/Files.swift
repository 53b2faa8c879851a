// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// Writes a small file of the shim's own into a bundle. Bundles do not outlive a restart of the machine, so nothing
/// is synced.
func writeFile(_ path: FilePath, _ bytes: [UInt8]) throws(SysError) {
    try writeAll(try LinuxSystem.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600), bytes)
}
