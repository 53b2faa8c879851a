// SPDX-License-Identifier: Apache-2.0

/// One `--link NAME[:ALIAS]`: what a container calls another.
struct ContainerLink: Sendable, Equatable {
    var name: String
    var alias: String

    /// Takes what `--link` takes, and inspect's `/NAME:/PARENT/ALIAS`.
    init(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        let first = parts.first ?? ""
        name = first.hasPrefix("/") ? String(first.dropFirst()) : first
        let last = parts.count > 1 ? parts[1] : name
        alias = last.split(separator: "/").last.map { String($0) } ?? last
    }

    static func check(_ text: String) throws(EngineError) {
        if text.isEmpty { throw .invalidArgument("empty string specified for links") }
        if text.split(separator: ":", omittingEmptySubsequences: false).count > 2 {
            throw .invalidArgument("bad format for links: \(text)")
        }
    }
}
