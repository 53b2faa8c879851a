// SPDX-License-Identifier: Apache-2.0

/// Why the daemon does not start; the text is for the person at the terminal.
struct DaemonError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
