// SPDX-License-Identifier: Apache-2.0

/// Why an image document, digest or reference is not valid. The texts of references are docker's, which users know.
package struct ImageSpecError: Error, Sendable, Equatable {
    package var message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}

#if !SWRUN_EMBEDDED
    extension ImageSpecError: CustomStringConvertible {}
#endif
