// SPDX-License-Identifier: Apache-2.0
import Metadata
import OCISpec

/// containerd's label of the repositories that are known to have a blob:
/// `containerd.io/distribution.source.<registry> = repository[,repository…]`. A push mounts blobs from there.
struct SourceLabel: Sendable {
    private let key: String
    private let repository: String

    /// No more are remembered for one blob.
    private static let capacity = 16

    init(_ reference: ImageReference) {
        key = "containerd.io/distribution.source." + reference.domain
        repository = reference.path
    }

    /// The repositories of the registry, other than the one of the reference, that have the blob, the latest first.
    func others(in labels: Labels) -> [String] { known(labels).filter { $0 != repository }.reversed() }

    func add(to labels: inout Labels) {
        let all = known(labels).filter { $0 != repository } + [repository]
        labels[key] = all.suffix(Self.capacity).joined(separator: ",")
    }

    private func known(_ labels: Labels) -> [String] {
        (labels[key] ?? "").split(separator: ",").map { String($0) }
    }
}
