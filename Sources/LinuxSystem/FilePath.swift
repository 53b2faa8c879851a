// SPDX-License-Identifier: Apache-2.0

/// A path as text. It gives no promise that anything exists there; paths inside a container are never used as text
/// but resolved to descriptors (`openInRoot`).
///
/// swift-system's type of the same name does not compile as Embedded Swift, hence this small one.
package struct FilePath: Sendable, Equatable, Hashable {
    package var string: String

    package init(_ string: String) { self.string = string }

    /// `base / "a/b"`; the right side is always taken as relative, even with a leading slash.
    package static func / (base: FilePath, component: String) -> FilePath {
        var right = component[...]
        while right.utf8.first == UInt8(ascii: "/") { right = right.dropFirst() }
        if base.string.isEmpty { return FilePath(String(right)) }
        if base.string.utf8.last == UInt8(ascii: "/") { return FilePath(base.string + right) }
        return FilePath(base.string + "/" + right)
    }

    package var isAbsolute: Bool { string.utf8.first == UInt8(ascii: "/") }

    /// The components without empty ones and without `.`; `..` is kept.
    package var components: [String] {
        string.split(separator: "/").filter { $0 != "." }.map { String($0) }
    }

    package var lastComponent: String { components.last ?? "" }

    /// The path without its last component; the parent of `/` is `/` and the parent of `a` is `.`.
    package var parent: FilePath {
        let kept = components.dropLast()
        if isAbsolute { return FilePath("/" + kept.joined(separator: "/")) }
        return FilePath(kept.isEmpty ? "." : kept.joined(separator: "/"))
    }

    /// Lexically resolved: no empty components, no `.`, and `..` removed with the component before it.
    package var normalized: FilePath {
        var kept: [String] = []
        for component in components {
            if component == ".." {
                if let last = kept.last, last != ".." {
                    kept.removeLast()
                } else if !isAbsolute {
                    kept.append(component)
                }
            } else {
                kept.append(component)
            }
        }
        let joined = kept.joined(separator: "/")
        return FilePath(isAbsolute ? "/" + joined : (joined.isEmpty ? "." : joined))
    }
}
