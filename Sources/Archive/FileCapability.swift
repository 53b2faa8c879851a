// SPDX-License-Identifier: Apache-2.0

/// The value of `security.capability` (capabilities(7), "File capability extended attribute versioning"). In archives it
/// has version 2, which means the host's root; in the tree of a user namespace version 3, which names its root.
enum FileCapability {
    static let name = Array("security.capability".utf8)
    private static let version2: (byte: UInt8, length: Int) = (2, 20)
    private static let version3: (byte: UInt8, length: Int) = (3, 24)

    /// For the user namespace whose root the host knows as `root`. What is not of version 2 is left as it is.
    static func owned(by root: UInt32, _ value: [UInt8]) -> [UInt8] {
        guard value.count == version2.length, value[3] == version2.byte else { return value }
        var owned = value
        owned[3] = version3.byte
        for shift in [0, 8, 16, 24] as [UInt32] { owned.append(UInt8(truncatingIfNeeded: root >> shift)) }
        return owned
    }

    /// For an archive.
    static func unowned(_ value: [UInt8]) -> [UInt8] {
        guard value.count == version3.length, value[3] == version3.byte else { return value }
        var plain = Array(value[..<version2.length])
        plain[3] = version2.byte
        return plain
    }
}
