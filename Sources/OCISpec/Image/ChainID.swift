// SPDX-License-Identifier: Apache-2.0

/// The identity of a stack of layers: the digest over its diffIDs (image-spec, config.md "Layer ChainID"). It names the
/// snapshot that the stack unpacks to.
package struct ChainID: Sendable, Equatable, Hashable {
    package let digest: Digest

    package init(_ digest: Digest) { self.digest = digest }

    /// `sha256:hex`, the snapshot's key.
    package var string: String { digest.string }

    package var description: String { string }

    /// The chainID of each prefix of `diffIDs`, lowest layer first. `sha256` hashes text; this module has no hash
    /// function.
    package static func chain(_ diffIDs: [Digest], sha256: (String) -> Digest) -> [ChainID] {
        var chain: [ChainID] = []
        for diffID in diffIDs {
            if let parent = chain.last {
                chain.append(ChainID(sha256(parent.string + " " + diffID.string)))
            } else {
                chain.append(ChainID(diffID))
            }
        }
        return chain
    }
}

#if !SWRUN_EMBEDDED
    extension ChainID: CustomStringConvertible {}
#endif
