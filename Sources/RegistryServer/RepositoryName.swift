// SPDX-License-Identifier: Apache-2.0
import JSON
package import OCISpec

/// A repository's name, checked (distribution-spec, "Pulling manifests").
package struct RepositoryName: Sendable, Hashable {
    package let string: String

    package init(_ text: String) throws(APIError) {
        guard text.utf8.count <= 255, ReferenceGrammar.isPath(text) else {
            throw APIError(.nameInvalid, ["name": .string(text)])
        }
        string = text
    }

    /// The content store's namespace with this repository's blobs.
    var blobs: String { string }

    /// The one with its manifests: no name of a repository has an `@`. A manifest is no blob to the API.
    var manifests: String { string + "@manifests" }

    /// The repository whose manifests a namespace has; nil for one with blobs.
    static func ofManifests(_ namespace: String) -> String? {
        namespace.hasSuffix("@manifests") ? String(namespace.dropLast("@manifests".utf8.count)) : nil
    }
}

/// What names a manifest within its repository.
package enum ManifestReference: Sendable, Equatable {
    case tag(String)
    case digest(Digest)

    /// Nil for what can be neither; a digest that is malformed or of an unknown algorithm has an error of its own.
    package init?(_ text: String) throws(APIError) {
        if text.utf8.contains(UInt8(ascii: ":")) {
            self = .digest(try Digest(checking: text))
        } else if ReferenceGrammar.isTag(text) {
            self = .tag(text)
        } else {
            return nil
        }
    }

    var detail: String {
        switch self {
        case .tag(let tag): "unknown tag=" + tag
        case .digest(let digest): "unknown manifest digest=" + digest.string
        }
    }
}

extension Digest {
    /// A digest that a client names.
    init(checking text: String) throws(APIError) {
        do throws(ImageSpecError) { try self.init(text) } catch {
            throw APIError(.digestInvalid, ["digest": .string(text), "reason": .string(error.message)])
        }
    }
}
