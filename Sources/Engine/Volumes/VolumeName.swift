// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// docker's rule for the names of local volumes: at least two of letters, digits, `_`, `.`, `-`, the first one a letter
/// or digit; so a name is never a path.
package enum VolumeName {
    package static func isValid(_ name: String) -> Bool {
        guard name.utf8.count >= 2, let first = name.utf8.first, isAlphanumeric(first) else { return false }
        return name.utf8.allSatisfy { isAlphanumeric($0) || "_.-".utf8.contains($0) }
    }

    static func check(_ name: String) throws(EngineError) {
        guard name.utf8.count != 1 else {
            throw .invalidArgument(
                "create \(name): volume name is too short, names should be at least two alphanumeric characters")
        }
        guard isValid(name), name.utf8.count <= 255 else {
            throw .invalidArgument("create \(name): " + invalid(name))
        }
    }

    /// docker's words for a name that is not valid.
    static func invalid(_ name: String) -> String {
        "\"\(name)\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are "
            + "allowed. If you intended to pass a host directory, use absolute path"
    }
}
