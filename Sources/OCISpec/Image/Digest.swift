// SPDX-License-Identifier: Apache-2.0

/// A content digest such as `sha256:ab…` (OCI image-spec, descriptor.md "Digests"). A value of this type is always well
/// formed: a known algorithm and exactly as many lower-case hex digits as it has, so it may become part of a path.
package struct Digest: Sendable, Equatable, Hashable {
    package enum Algorithm: String, Sendable, Equatable, Hashable {
        case sha256
        case sha384
        case sha512

        /// The number of hex digits.
        package var digits: Int {
            switch self {
            case .sha256: 64
            case .sha384: 96
            case .sha512: 128
            }
        }
    }

    package let algorithm: Algorithm
    package let hex: String

    /// Reads `algorithm:hex`.
    package init(_ text: String) throws(ImageSpecError) {
        let bytes = Array(text.utf8.prefix(160))
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
            throw ImageSpecError("invalid checksum digest format")
        }
        let name = String(decoding: bytes[..<colon], as: UTF8.self)
        guard let algorithm = Algorithm(rawValue: name) else { throw ImageSpecError("unsupported digest algorithm") }
        let digits = bytes[(colon + 1)...]
        guard digits.count == algorithm.digits else { throw ImageSpecError("invalid checksum digest length") }
        for digit in digits where !isLowerHex(digit) { throw ImageSpecError("invalid checksum digest format") }
        self.algorithm = algorithm
        hex = String(decoding: digits, as: UTF8.self)
    }

    /// The digest made of raw hash bytes; their number must be the algorithm's.
    package init(algorithm: Algorithm, hash: [UInt8]) {
        precondition(hash.count * 2 == algorithm.digits, "hash length does not fit the algorithm")
        self.algorithm = algorithm
        var digits: [UInt8] = []
        digits.reserveCapacity(hash.count * 2)
        for byte in hash {
            digits.append(Digest.hexDigit(byte >> 4))
            digits.append(Digest.hexDigit(byte & 0xf))
        }
        hex = String(decoding: digits, as: UTF8.self)
    }

    /// `algorithm:hex`.
    package var string: String { algorithm.rawValue + ":" + hex }

    package var description: String { string }

    /// Where an image layout has the blob (image-spec image-layout.md).
    package var layoutPath: String { "blobs/" + algorithm.rawValue + "/" + hex }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}

#if !SWRUN_EMBEDDED
    extension Digest: CustomStringConvertible {}
#endif

func isLowerHex(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (97...102).contains(byte)
}
