// SPDX-License-Identifier: Apache-2.0

/// A system call that failed: what we were doing, on what, why, and what to do about it.
package struct SysError: Error, Sendable, Equatable {
    /// The system call or step, e.g. `openat2`.
    package var operation: String
    /// The path, pid or name it was done to; empty if there is none.
    package var subject: String
    package var errno: Errno
    /// What the user can do; nil when there is nothing better to say than the errno's text.
    package var hint: String?

    package init(_ operation: String, _ subject: String = "", _ errno: Errno, hint: String? = nil) {
        self.operation = operation
        self.subject = subject
        self.errno = errno
        self.hint = hint
    }

    /// `openat2 /a/b: no such file or directory (hint)`.
    package var description: String {
        var text = operation
        if !subject.isEmpty { text += " " + subject }
        text += ": " + errno.text
        if let hint { text += " (" + hint + ")" }
        return text
    }
}

#if !SWRUN_EMBEDDED
    extension SysError: CustomStringConvertible {}
#endif

/// Runs one system call, retrying on EINTR, and reads errno before anything else can change it.
@discardableResult
package func sys<R: FixedWidthInteger & SignedInteger>(
    _ operation: String, _ subject: @autoclosure () -> String = "",
    hint: (Errno) -> String? = { _ in nil }, _ call: () -> R
) throws(SysError) -> R {
    while true {
        let result = call()
        if result != -1 { return result }
        let errno = Errno.current
        if errno == .interrupted { continue }
        throw SysError(operation, subject(), errno, hint: hint(errno))
    }
}
