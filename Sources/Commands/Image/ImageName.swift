// SPDX-License-Identifier: Apache-2.0

/// An image name as users write it: `busybox`, `user/app:1.2`, `host:5000/app@sha256:…`.
package struct ImageName: Sendable, Equatable {
    package struct Malformed: Error, Sendable, Equatable {
        package var reason: String
    }

    /// `docker.io` when the name has no host.
    package var domain: String
    /// Without the host; `library/busybox` for `busybox`.
    package var path: String
    package var tag: String?
    package var digest: String?

    package init(_ text: String) throws {
        var rest = text
        if ImageName.isBareID(text) {
            throw Malformed(
                reason: "invalid repository name (" + text + "), cannot specify 64-byte hexadecimal strings")
        }
        if let (front, digest) = rest.cut("@") {
            guard ImageName.isDigest(digest) else { throw Malformed(reason: "invalid reference format") }
            (rest, self.digest) = (front, digest)
        }
        if let (front, tag) = rest.cutLast(":"), !tag.contains("/") {
            guard ImageName.isTag(tag) else { throw Malformed(reason: "invalid reference format") }
            (rest, self.tag) = (front, tag)
        }
        (domain, path) = ImageName.splitDomain(rest)
        guard path.lowercased() == path else {
            throw Malformed(reason: "invalid reference format: repository name (" + path + ") must be lowercase")
        }
        guard !path.isEmpty, path.parts("/").allSatisfy(ImageName.isComponent) else {
            throw Malformed(reason: "invalid reference format")
        }
        guard path.utf8.count <= 255 else {
            throw Malformed(reason: "repository name must not be more than 255 characters")
        }
    }

    private static func splitDomain(_ name: String) -> (String, String) {
        if let (first, rest) = name.cut("/"),
            first.contains(".") || first.contains(":") || first == "localhost" || first.lowercased() != first
        {
            let domain = first == "index.docker.io" ? "docker.io" : first
            return (domain, domain == "docker.io" && !rest.contains("/") ? "library/" + rest : rest)
        }
        return ("docker.io", name.contains("/") || name.isEmpty ? name : "library/" + name)
    }

    /// Lower-case words joined by `.`, `_`, `__` or dashes.
    private static func isComponent(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, isWord(first), isWord(last) else { return false }
        return text.utf8.allSatisfy { isWord($0) || $0 == 45 || $0 == 46 || $0 == 95 }
    }

    private static func isWord(_ byte: UInt8) -> Bool { (byte >= 97 && byte <= 122) || (byte >= 48 && byte <= 57) }

    private static func isTag(_ text: String) -> Bool {
        guard let first = text.utf8.first, first != 45, first != 46, text.utf8.count <= 128 else { return false }
        return text.utf8.allSatisfy { isWord($0) || ($0 >= 65 && $0 <= 90) || $0 == 45 || $0 == 46 || $0 == 95 }
    }

    private static func isDigest(_ text: String) -> Bool {
        guard let (algorithm, hex) = text.cut(":"), !algorithm.isEmpty, hex.utf8.count >= 32 else { return false }
        return hex.utf8.allSatisfy { ($0 >= 48 && $0 <= 57) || ($0 >= 97 && $0 <= 102) }
    }

    /// 64 hexadecimal digits are an image id, never a name.
    private static func isBareID(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { ($0 >= 48 && $0 <= 57) || ($0 >= 97 && $0 <= 102) }
    }

    /// Whether a text is a whole image ID, with or without `sha256:`.
    static func isID(_ text: String) -> Bool {
        isBareID(text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text)
    }

    // MARK: Forms

    /// Without what goes without saying: `docker.io/` and `library/`.
    package var familiarName: String {
        guard domain == "docker.io" else { return domain + "/" + path }
        return path.hasPrefix("library/") ? String(path.dropFirst(8)) : path
    }

    /// The familiar name with its tag or digest, `latest` if it has neither.
    package var familiarTagged: String { familiarName + suffix }

    /// `docker.io/library/busybox:latest`
    package var full: String { domain + "/" + path + suffix }

    private var suffix: String {
        var text = tag.map { ":" + $0 } ?? ""
        if let digest { text += "@" + digest }
        return text.isEmpty ? ":latest" : text
    }
}
