// SPDX-License-Identifier: Apache-2.0
import CLinux

/// An error number of the kernel (errno(3)).
package struct Errno: Sendable, Equatable, Hashable {
    package var rawValue: CInt

    package init(rawValue: CInt) { self.rawValue = rawValue }

    /// The calling thread's errno. Read it before anything else can change it.
    package static var current: Errno { Errno(rawValue: swrun_errno()) }

    package static var notPermitted: Errno { Errno(rawValue: EPERM) }
    package static var noSuchFile: Errno { Errno(rawValue: ENOENT) }
    package static var noSuchProcess: Errno { Errno(rawValue: ESRCH) }
    package static var interrupted: Errno { Errno(rawValue: EINTR) }
    package static var ioError: Errno { Errno(rawValue: EIO) }
    package static var noExec: Errno { Errno(rawValue: ENOEXEC) }
    package static var badDescriptor: Errno { Errno(rawValue: EBADF) }
    package static var noChild: Errno { Errno(rawValue: ECHILD) }
    package static var wouldBlock: Errno { Errno(rawValue: EAGAIN) }
    package static var accessDenied: Errno { Errno(rawValue: EACCES) }
    package static var busy: Errno { Errno(rawValue: EBUSY) }
    package static var crossDeviceLink: Errno { Errno(rawValue: EXDEV) }
    package static var exists: Errno { Errno(rawValue: EEXIST) }
    package static var notDirectory: Errno { Errno(rawValue: ENOTDIR) }
    package static var isDirectory: Errno { Errno(rawValue: EISDIR) }
    package static var invalidArgument: Errno { Errno(rawValue: EINVAL) }
    package static var noSpace: Errno { Errno(rawValue: ENOSPC) }
    package static var readOnly: Errno { Errno(rawValue: EROFS) }
    package static var brokenPipe: Errno { Errno(rawValue: EPIPE) }
    package static var nameTooLong: Errno { Errno(rawValue: ENAMETOOLONG) }
    package static var notImplemented: Errno { Errno(rawValue: ENOSYS) }
    package static var notEmpty: Errno { Errno(rawValue: ENOTEMPTY) }
    package static var loop: Errno { Errno(rawValue: ELOOP) }
    package static var noData: Errno { Errno(rawValue: ENODATA) }
    package static var addressInUse: Errno { Errno(rawValue: EADDRINUSE) }
    package static var connectionRefused: Errno { Errno(rawValue: ECONNREFUSED) }
    package static var connectionReset: Errno { Errno(rawValue: ECONNRESET) }
    package static var outOfRange: Errno { Errno(rawValue: ERANGE) }
    package static var notSupported: Errno { Errno(rawValue: EOPNOTSUPP) }
    package static var tooBig: Errno { Errno(rawValue: E2BIG) }
    package static var fileTooBig: Errno { Errno(rawValue: EFBIG) }

    /// The text of strerror(3) in lower case, as Go programs print it ("no such file or directory"): several callers
    /// of an OCI runtime search for these texts.
    package var text: String {
        if self == .busy { return "device or resource busy" }  // musl's has the last two words alone
        guard let message = strerror(rawValue) else { return "errno " + String(rawValue) }
        let bytes = String(cString: message)
        guard let first = bytes.utf8.first, first >= 65, first <= 90 else { return bytes }
        let second = bytes.utf8.dropFirst().first ?? 97
        if second >= 65, second <= 90 { return bytes }  // an acronym such as "RPC"
        return String(decoding: [first + 32] + Array(bytes.utf8.dropFirst()), as: UTF8.self)
    }
}
