// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// docker's rule for the names of local volumes.
package enum VolumeName {
    static func check(_ name: String) throws(EngineError) {
        guard name.utf8.count != 1 else {
            throw .invalidArgument(
                "create \(name): volume name is too short, names should be at least two alphanumeric characters")
        }
        guard RestrictedName.isValid(name), name.utf8.count <= 255 else {
            throw .invalidArgument("create \(name): " + invalid(name))
        }
    }

    /// docker's words for a name that is not valid.
    static func invalid(_ name: String) -> String {
        "\"\(name)\" includes invalid characters for a local volume name, only \"\(RestrictedName.characters)\" "
            + "are allowed. If you intended to pass a host directory, use absolute path"
    }
}
