// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// Which part of a container's log a client wants, and how.
package struct LogRequest: Sendable {
    package var stdout = false
    package var stderr = false
    package var since: Timestamp?
    package var until: Timestamp?
    /// The last so many lines; nil is all.
    package var tail: Int?
    package var timestamps = false
    package var follow = false
    /// Also the attributes of each line: `--details`.
    package var details = false

    package init() {}
}
