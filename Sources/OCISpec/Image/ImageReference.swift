// SPDX-License-Identifier: Apache-2.0

/// The name of an image, `[domain/]path[:tag][@digest]`, normalised as docker does: `busybox` is
/// `docker.io/library/busybox`. The grammar is that of the distribution project's reference package.
package struct ImageReference: Sendable, Equatable, Hashable {
    /// The registry, with its port if the name has one; `docker.io` unless the name says otherwise.
    package let domain: String
    /// The repository in that registry, such as `library/busybox`.
    package let path: String
    package var tag: String?
    package var digest: Digest?

    package static let defaultDomain = "docker.io"
    package static let defaultTag = "latest"

    package init(_ text: String) throws(ImageSpecError) {
        guard text.utf8.count <= 1024 else { throw ImageSpecError("invalid reference format") }
        let bytes = Array(text.utf8)
        if bytes.count == 64, bytes.allSatisfy(isLowerHex) {
            throw ImageSpecError(
                "invalid repository name (" + text + "), cannot specify 64-byte hexadecimal strings")
        }
        let (domain, rest) = ReferenceGrammar.splitDomain(text)
        let (name, tag, digest) = ReferenceGrammar.splitSuffixes(rest)
        guard name.utf8.allSatisfy({ !(65...90).contains($0) }) else {
            throw ImageSpecError("invalid reference format: repository name (" + name + ") must be lowercase")
        }
        guard ReferenceGrammar.isDomain(domain), ReferenceGrammar.isPath(name) else {
            throw ImageSpecError("invalid reference format")
        }
        guard name.utf8.count <= 255 else {
            throw ImageSpecError("repository name must not be more than 255 characters")
        }
        if let tag, !ReferenceGrammar.isTag(tag) { throw ImageSpecError("invalid reference format") }
        self.domain = domain
        path = name
        self.tag = tag
        self.digest = nil
        if let digest { self.digest = try ReferenceGrammar.digest(digest) }
    }

    /// `docker.io/library/busybox`.
    package var name: String { domain + "/" + path }

    /// The name with tag and digest as given, `docker.io/library/busybox:1.36@sha256:…`.
    package var string: String {
        name + (tag.map { ":" + $0 } ?? "") + (digest.map { "@" + $0.string } ?? "")
    }

    package var description: String { string }

    /// `string`, with `:latest` if there is neither tag nor digest. This is the key of an image record.
    package var normalized: String { taggedByDefault.string }

    /// This reference with `:latest` if there is neither tag nor digest.
    package var taggedByDefault: ImageReference {
        guard tag == nil, digest == nil else { return self }
        var copy = self
        copy.tag = ImageReference.defaultTag
        return copy
    }

    /// The repository as docker shows it: without `docker.io/` and `library/`.
    package var familiarName: String {
        guard domain == ImageReference.defaultDomain else { return name }
        let prefix = "library/"
        let short = path.hasPrefix(prefix) ? String(path.dropFirst(prefix.utf8.count)) : path
        return short.utf8.contains(UInt8(ascii: "/")) ? path : short
    }

    /// The reference as docker shows it, `busybox:latest`.
    package var familiar: String {
        familiarName + (tag.map { ":" + $0 } ?? "") + (digest.map { "@" + $0.string } ?? "")
    }
}

#if !SWRUN_EMBEDDED
    extension ImageReference: CustomStringConvertible {}
#endif
