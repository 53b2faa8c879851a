// SPDX-License-Identifier: Apache-2.0

/// Why an archive cannot be read, unpacked or written. Failures of the file system are `SysError`s instead.
package struct ArchiveError: Error, Sendable, Equatable, CustomStringConvertible {
    package var message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }

    package static let truncated = ArchiveError("unexpected end of archive")
}
