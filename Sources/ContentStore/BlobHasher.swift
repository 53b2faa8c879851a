// SPDX-License-Identifier: Apache-2.0
import Crypto
package import OCISpec

/// Hashes a stream of bytes into a digest. (Spelled `OCISpec.Digest` here, since Crypto has a protocol of that name.)
package struct BlobHasher: Sendable {
    private enum State: Sendable {
        case sha256(SHA256)
        case sha384(SHA384)
        case sha512(SHA512)
    }

    private var state: State

    package init(_ algorithm: OCISpec.Digest.Algorithm = .sha256) {
        switch algorithm {
        case .sha256: state = .sha256(SHA256())
        case .sha384: state = .sha384(SHA384())
        case .sha512: state = .sha512(SHA512())
        }
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch state {
        case .sha256(var hash):
            hash.update(bufferPointer: bytes)
            state = .sha256(hash)
        case .sha384(var hash):
            hash.update(bufferPointer: bytes)
            state = .sha384(hash)
        case .sha512(var hash):
            hash.update(bufferPointer: bytes)
            state = .sha512(hash)
        }
    }

    package mutating func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The digest of everything so far.
    package func finish() -> OCISpec.Digest {
        switch state {
        case .sha256(let hash): OCISpec.Digest(algorithm: .sha256, hash: Array(hash.finalize()))
        case .sha384(let hash): OCISpec.Digest(algorithm: .sha384, hash: Array(hash.finalize()))
        case .sha512(let hash): OCISpec.Digest(algorithm: .sha512, hash: Array(hash.finalize()))
        }
    }
}

extension OCISpec.Digest {
    /// The SHA-256 digest of `bytes`.
    package static func sha256(of bytes: [UInt8]) -> OCISpec.Digest { of(bytes, .sha256) }

    /// The digest of `bytes`.
    package static func of(_ bytes: [UInt8], _ algorithm: Algorithm) -> OCISpec.Digest {
        var hasher = BlobHasher(algorithm)
        hasher.update(bytes)
        return hasher.finish()
    }

    /// The SHA-256 digest of `text` in UTF-8.
    package static func sha256(of text: String) -> OCISpec.Digest { sha256(of: Array(text.utf8)) }
}

extension ChainID {
    /// The chainID of each prefix of `diffIDs`, lowest layer first.
    package static func chain(_ diffIDs: [OCISpec.Digest]) -> [ChainID] {
        chain(diffIDs) { OCISpec.Digest.sha256(of: $0) }
    }
}
