// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// docker's rule for the names of containers, local volumes and checkpoints: at least two of letters, digits, `_`, `.`,
/// `-`, the first one a letter or digit; so a name is never a path.
package enum RestrictedName {
    /// What may be in such a name, as errors tell it.
    package static let characters = "[a-zA-Z0-9][a-zA-Z0-9_.-]"

    package static func isValid(_ name: String) -> Bool {
        guard name.utf8.count >= 2, let first = name.utf8.first, isAlphanumeric(first) else { return false }
        return name.utf8.allSatisfy { isAlphanumeric($0) || "_.-".utf8.contains($0) }
    }
}
