// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// One side of `cp`: `CONTAINER:PATH`, or a path of the user's; `-` is a tar stream.
package enum CopyPlace: Sendable, Equatable {
    case local(String)
    case container(id: String, path: String)

    /// Absolute paths, and those that begin with a dot, are local even when they contain a colon.
    package init(_ text: String) {
        if !text.hasPrefix("/"), !text.hasPrefix("."), let (id, path) = text.cut(":"), !id.isEmpty, !id.contains("/") {
            self = .container(id: id, path: path)
        } else {
            self = .local(text)
        }
    }
}

extension String {
    /// Whether the path says that it means a directory: it ends with a slash or with `/.`.
    var asksForDirectory: Bool { hasSuffix("/") || hasSuffix("/.") || self == "." }

    /// The last component of a path, without trailing slashes; `/` for the root.
    var baseName: String {
        parts("/").last { !$0.isEmpty } ?? "/"
    }
}

extension FilePath {
    /// Lexically resolved against the user's directory.
    var absolute: FilePath {
        if isAbsolute { return normalized }
        let directory = (try? readLink(FilePath("/proc/self/cwd"))) ?? FilePath("/")
        return (directory / string).normalized
    }
}
