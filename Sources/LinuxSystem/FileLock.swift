// SPDX-License-Identifier: Apache-2.0
import CLinux

/// An exclusive flock(2) on a file, held until this value ends or the process dies. For one instance of a daemon.
package struct FileLock: ~Copyable, Sendable {
    private let descriptor: OwnedFD

    /// Takes the lock or fails at once with `wouldBlock` if another process holds it.
    package init(_ path: FilePath) throws(SysError) {
        let file = try open(path, O_RDWR | O_CREAT, mode: 0o600)
        let number = file.raw
        let hint = { (errno: Errno) -> String? in errno == .wouldBlock ? "another instance is running" : nil }
        try sys("flock", path.string, hint: hint, { flock(number, LOCK_EX | LOCK_NB) })
        descriptor = file
    }
}

/// Runs `body` under an exclusive flock(2) on a directory, for all who agree on that; the lock ends with the process, too.
/// - Throws: `wouldBlock` if another has the lock and `waits` is false; what `body` throws.
package func withLockedDirectory<R>(
    _ path: FilePath, waits: Bool = true, _ body: () throws(SysError) -> R
) throws(SysError) -> R {
    let directory = try open(path, O_RDONLY | O_DIRECTORY)
    let number = directory.raw
    try sys("flock", path.string) { flock(number, waits ? LOCK_EX : LOCK_EX | LOCK_NB) }
    return try body()
}
