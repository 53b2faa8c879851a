// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// Finds the program that a process is to run, as the process itself will find it, with runc's error texts: the exit
/// codes 126 and 127 of docker and podman hang on them.
func findProgram(_ name: String, path: String?) throws(RuntimeError) -> String {
    let prefix = "exec: \"" + name + "\": "
    if name.utf8.contains(UInt8(ascii: "/")) {
        if let errno = executability(of: name) {
            let isMissing = errno == .noSuchFile || errno == .notDirectory
            throw RuntimeError(prefix + (isMissing ? "stat " + name + ": " : "") + errno.text)
        }
        return name
    }
    for directory in (path ?? "").split(separator: ":", omittingEmptySubsequences: false) {
        let candidate = (directory.isEmpty ? "." : String(directory)) + "/" + name
        if !name.isEmpty, executability(of: candidate) == nil { return candidate }
    }
    throw RuntimeError(prefix + "executable file not found in $PATH")
}

/// Nil if the file can be executed.
private func executability(of path: String) -> Errno? {
    var info = stat()
    if stat(path, &info) != 0 { return .current }
    if isDirectory(info) { return .isDirectory }
    return swrun_eaccess(path, X_OK) == 0 ? nil : .current
}
