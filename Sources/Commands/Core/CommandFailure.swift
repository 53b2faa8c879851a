// SPDX-License-Identifier: Apache-2.0

/// The end of a command without success: what to print on stderr (nothing if empty) and the exit code.
package struct CommandFailure: Error, Sendable, Equatable {
    package var message: String
    package var exitCode: Int32

    /// The detach keys were typed: for docker's `attach` and `exec`, but not for `run` and `start`, that is a failure.
    static let leftByKeys = CommandFailure("read escape sequence")

    package init(_ message: String, exitCode: Int32 = 1) {
        self.message = message
        self.exitCode = exitCode
    }

    /// Ends with `code` and says nothing.
    package static func exit(_ code: Int32) -> CommandFailure { CommandFailure("", exitCode: code) }
}
