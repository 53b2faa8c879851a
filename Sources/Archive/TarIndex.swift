// SPDX-License-Identifier: Apache-2.0
import Tar

/// Where the files of an uncompressed tar archive are, by name, so that they can be read in any order.
package struct TarIndex: Sendable {
    private var files: [String: Range<Int64>] = [:]
    private var links: [String: String] = [:]

    static let maximumEntries = 100_000

    /// Reads the headers of the archive in `file`. A name that occurs twice means its last occurrence, as in tar.
    package init(_ file: SpoolFile) throws {
        let reader = TarReader(file.source)
        while let entry = try reader.next() {
            let path = try EntryPath(entry.path)
            let name = path.display
            guard files.count + links.count < Self.maximumEntries else {
                throw ArchiveError("archive has too many entries")
            }
            files[name] = nil
            links[name] = nil
            switch entry.kind {
            case .regular where entry.dataRanges == nil: files[name] = reader.position..<(reader.position + entry.size)
            case .hardLink: links[name] = try EntryPath(entry.linkTarget).display
            case .symbolicLink:
                let target =
                    path.parent.components.joined(separator: [UInt8(ascii: "/")]) + [UInt8(ascii: "/")]
                    + entry.linkTarget
                links[name] = try EntryPath(target).display
            default: break
            }
        }
    }

    /// The bytes of a file, found through at most a few links; nil if there is no such file.
    package subscript(_ name: String) -> Range<Int64>? {
        var name = name
        for _ in 0..<8 {
            if let range = files[name] { return range }
            guard let target = links[name] else { return nil }
            name = target
        }
        return nil
    }
}
