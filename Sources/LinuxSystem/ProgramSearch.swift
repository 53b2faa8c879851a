// SPDX-License-Identifier: Apache-2.0
import CLinux

/// An executable of this name in PATH, as execvp(3) looks for it.
package func findExecutable(_ name: String) -> FilePath? {
    let search = Environment.value("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    for directory in search.utf8.split(separator: UInt8(ascii: ":")) {
        let candidate = FilePath(String(Substring(directory))) / name
        if access(candidate.string, X_OK) == 0 { return candidate }
    }
    return nil
}
