// SPDX-License-Identifier: Apache-2.0
package import Tar

/// Compressions that archives come in, but layers do not: there are no media types for them.
package enum ArchiveCompression: Sendable, Equatable {
    case bzip2
    case xz

    /// How many bytes tell.
    package static let magicBytes = 6

    /// Told from the first bytes; nil for anything else.
    package init?(magic bytes: [UInt8]) {
        if bytes.starts(with: Array("BZh".utf8)) {
            self = .bzip2
        } else if bytes.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]) {
            self = .xz
        } else {
            return nil
        }
    }

    /// A decoder for one stream.
    package func decoder() throws(ArchiveError) -> any StreamDecoder {
        switch self {
        case .bzip2: Bzip2Decoder()
        case .xz: try XZDecoder()
        }
    }
}

/// The uncompressed stream of an archive, which may be compressed in any way that a layer may, and with bzip2 or xz.
package func decompressedArchive(_ source: any ByteSource) throws -> any ByteSource {
    let input = source as? InputBuffer ?? InputBuffer(source)
    guard let compression = ArchiveCompression(magic: try input.peek(ArchiveCompression.magicBytes)) else {
        return try decompressed(input)
    }
    return DecodedSource(input, try compression.decoder())
}
