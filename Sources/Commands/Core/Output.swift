// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// The program's own standard output and error, unbuffered: what is printed is out at once.
package struct Output: Sendable {
    package init() {}

    package func write(_ bytes: [UInt8]) { put(1, bytes) }
    package func write(_ text: String) { put(1, Array(text.utf8)) }
    package func line(_ text: String) { put(1, Array((text + "\n").utf8)) }

    package func error(_ bytes: [UInt8]) { put(2, bytes) }
    package func errorLine(_ text: String) { put(2, Array((text + "\n").utf8)) }

    package var isTerminal: Bool { TerminalMode.isTerminal(1) }

    /// Columns of the terminal that `fd` is, or nil.
    package func columns(_ fd: Int32 = 1) -> Int? { TerminalMode.size(fd).map { Int($0.columns) } }

    private func put(_ fd: Int32, _ bytes: [UInt8]) {
        if bytes.isEmpty { return }
        // A reader that went away ends us by SIGPIPE, like any filter; other errors have nowhere to go.
        _ = try? StandardStreams.write(fd, bytes)
    }
}
