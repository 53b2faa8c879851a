// SPDX-License-Identifier: Apache-2.0

/// The end of a command without success: what to print on stderr (nothing if empty) and the exit code.
package struct CommandFailure: Error, Sendable, Equatable {
    package var message: String
    package var exitCode: Int32

    package init(_ message: String, exitCode: Int32 = 1) {
        self.message = message
        self.exitCode = exitCode
    }

    /// Ends with `code` and says nothing.
    package static func exit(_ code: Int32) -> CommandFailure { CommandFailure("", exitCode: code) }
}
