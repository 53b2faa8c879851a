// SPDX-License-Identifier: Apache-2.0
package import Tar

/// How a layer is compressed.
package enum Compression: Sendable, Equatable {
    case none
    case gzip
    case zstd

    /// Told from the first bytes; a media type is only a claim.
    package init(magic bytes: [UInt8]) {
        if bytes.starts(with: [0x1f, 0x8b]) {
            self = .gzip
        } else if bytes.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) || Self.isSkippableFrame(bytes) {
            self = .zstd
        } else {
            self = .none
        }
    }

    /// A frame that zstd readers skip (RFC 8878 §3.1.2): magic 0x184D2A50 to 0x184D2A5F, little-endian.
    private static func isSkippableFrame(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 4 && bytes[0] & 0xf0 == 0x50 && bytes[1...3].elementsEqual([0x2a, 0x4d, 0x18])
    }
}

/// The uncompressed stream of `source`, whatever its compression.
package func decompressed(_ source: any ByteSource) throws -> any ByteSource {
    let input = source as? InputBuffer ?? InputBuffer(source)
    switch Compression(magic: try input.peek(4)) {
    case .none: return input
    case .gzip: return GzipSource(input)
    case .zstd: return try ZstdSource(input)
    }
}
