// SPDX-License-Identifier: Apache-2.0

/// The path of a tar entry relative to the root it is unpacked to: components without `.`, `..`, NUL and slashes.
package struct EntryPath: Equatable, Hashable, Sendable {
    package let components: [[UInt8]]

    /// An absolute path is taken from the root; a `..` that leads above the root is an error, any other is resolved in
    /// the text, before a symbolic link could give it another meaning.
    package init(_ bytes: [UInt8]) throws(ArchiveError) {
        guard bytes.count <= 4096 else { throw ArchiveError("tar entry name of \(bytes.count) bytes is too long") }
        guard !bytes.contains(0) else { throw ArchiveError("tar entry name contains a NUL byte") }
        var kept: [[UInt8]] = []
        for component in bytes.split(separator: UInt8(ascii: "/")) {
            switch Array(component) {
            case [UInt8(ascii: ".")]: continue
            case [UInt8(ascii: "."), UInt8(ascii: ".")]:
                guard kept.popLast() != nil else {
                    let shown = String(decoding: bytes.prefix(256), as: UTF8.self)
                    throw ArchiveError("tar entry \"\(shown)\" leads outside of the root directory")
                }
            case let name: kept.append(name)
            }
        }
        components = kept
    }

    package init(components: [[UInt8]]) { self.components = components }

    package var isRoot: Bool { components.isEmpty }

    package var parent: EntryPath { EntryPath(components: Array(components.dropLast())) }

    /// The last component; empty for the root.
    package var name: [UInt8] { components.last ?? [] }

    /// The path for a system call, NUL at its end; `.` for the root.
    package var cString: [CChar] {
        guard !isRoot else { return Self.cString([UInt8(ascii: ".")]) }
        return Self.cString(Array(components.joined(separator: [UInt8(ascii: "/")])))
    }

    package var display: String {
        String(decoding: Array(components.joined(separator: [UInt8(ascii: "/")])), as: UTF8.self)
    }

    /// `name` with a NUL at its end.
    package static func cString(_ name: [UInt8]) -> [CChar] { name.map { CChar(bitPattern: $0) } + [0] }
}
