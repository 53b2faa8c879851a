// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// A netlink request that failed: what was asked, on what, the kernel's errno and its own words if it gave any.
package struct NetlinkError: Error, Sendable, Equatable, CustomStringConvertible {
    package var operation: String
    package var subject: String
    package var errno: Errno
    /// The extended acknowledgement (NETLINK_EXT_ACK), e.g. "Nexthop has invalid gateway".
    package var text: String?

    package init(operation: String, subject: String, errno: Errno, text: String? = nil) {
        self.operation = operation
        self.subject = subject
        self.errno = errno
        self.text = text
    }

    package var description: String {
        var message = operation
        if !subject.isEmpty { message += " " + subject }
        message += ": " + errno.text
        if let text, !text.isEmpty { message += " (" + text + ")" }
        return message
    }

    /// The thing asked for is not there: no such link, address or route.
    package var isNotFound: Bool {
        errno == .noSuchDevice || errno == .noSuchFile || errno == .noSuchProcess || errno == .addressNotAvailable
    }
}

extension Errno {
    package static var noSuchDevice: Errno { Errno(rawValue: 19) }
    package static var addressNotAvailable: Errno { Errno(rawValue: 99) }
    package static var familyNotSupported: Errno { Errno(rawValue: 97) }
    package static var noBuffers: Errno { Errno(rawValue: 105) }
    package static var overflow: Errno { Errno(rawValue: 75) }
}
