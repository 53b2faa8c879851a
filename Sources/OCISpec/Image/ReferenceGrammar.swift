// SPDX-License-Identifier: Apache-2.0

/// The grammar of image names (github.com/distribution/reference, "Grammar"), as plain scanners over bytes.
package enum ReferenceGrammar {
    /// The registry and the rest. The first component is a registry only if it looks like a host: it has a dot or a
    /// colon, an upper-case letter, or is `localhost`.
    static func splitDomain(_ text: String) -> (domain: String, rest: String) {
        let bytes = Array(text.utf8)
        var domain = ImageReference.defaultDomain
        var rest = text
        if let slash = bytes.firstIndex(of: UInt8(ascii: "/")) {
            let first = bytes[..<slash]
            let isHost =
                first.contains(UInt8(ascii: ".")) || first.contains(UInt8(ascii: ":"))
                || first.contains { (65...90).contains($0) }
                || String(decoding: first, as: UTF8.self) == "localhost"
            if isHost {
                domain = String(decoding: first, as: UTF8.self)
                rest = String(decoding: bytes[(slash + 1)...], as: UTF8.self)
            }
        }
        if domain == "index.docker.io" { domain = ImageReference.defaultDomain }
        if domain == ImageReference.defaultDomain, !rest.utf8.contains(UInt8(ascii: "/")) { rest = "library/" + rest }
        return (domain, rest)
    }

    /// Cuts `path[:tag][@digest]`. Neither sign can occur in a path.
    static func splitSuffixes(_ text: String) -> (name: String, tag: String?, digest: String?) {
        var bytes = Array(text.utf8)[...]
        var digest: String?
        var tag: String?
        if let at = bytes.firstIndex(of: UInt8(ascii: "@")) {
            digest = String(decoding: bytes[(at + 1)...], as: UTF8.self)
            bytes = bytes[..<at]
        }
        if let colon = bytes.firstIndex(of: UInt8(ascii: ":")) {
            tag = String(decoding: bytes[(colon + 1)...], as: UTF8.self)
            bytes = bytes[..<colon]
        }
        return (String(decoding: bytes, as: UTF8.self), tag, digest)
    }

    /// `host[:port]`, where a host is labels joined with dots, or an IPv6 address in brackets.
    package static func isDomain(_ text: String) -> Bool {
        var bytes = Array(text.utf8)[...]
        if bytes.first == UInt8(ascii: "[") {
            guard let close = bytes.firstIndex(of: UInt8(ascii: "]")) else { return false }
            let address = bytes[(bytes.startIndex + 1)..<close]
            guard !address.isEmpty, address.allSatisfy(isAddressByte) else { return false }
            bytes = bytes[(close + 1)...]
            return bytes.isEmpty || (bytes.first == UInt8(ascii: ":") && isPort(bytes.dropFirst()))
        }
        if let colon = bytes.firstIndex(of: UInt8(ascii: ":")) {
            guard isPort(bytes[(colon + 1)...]) else { return false }
            bytes = bytes[..<colon]
        }
        return bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy(isLabel)
    }

    /// Components of lower-case letters and digits, with single separators `.`, `_`, `__` or any number of `-` inside.
    package static func isPath(_ text: String) -> Bool {
        let components = Array(text.utf8).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return components.allSatisfy(isComponent)
    }

    /// A word character, then at most 127 word characters, dots and dashes.
    package static func isTag(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, bytes.count <= 128 else { return false }
        guard isAlphanumeric(first) || first == UInt8(ascii: "_") else { return false }
        return bytes.allSatisfy {
            isAlphanumeric($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
        }
    }

    /// The digest behind `@`: what is not even shaped like one is a malformed reference, the rest has an error of its
    /// own.
    static func digest(_ text: String) throws(ImageSpecError) -> Digest {
        let parts = Array(text.utf8).split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, let first = parts[0].first, isLetter(first), parts[1].count >= 32,
            parts[1].allSatisfy({ isLowerHex($0) || (65...70).contains($0) })
        else { throw ImageSpecError("invalid reference format") }
        return try Digest(text)
    }

    private static func isComponent(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first, let last = bytes.last, isLowerOrDigit(first), isLowerOrDigit(last) else {
            return false
        }
        var separator: [UInt8] = []
        for byte in bytes {
            if isLowerOrDigit(byte) {
                guard isSeparator(separator) else { return false }
                separator = []
            } else {
                separator.append(byte)
            }
        }
        return true
    }

    private static func isSeparator(_ bytes: [UInt8]) -> Bool {
        if bytes.isEmpty || bytes.allSatisfy({ $0 == UInt8(ascii: "-") }) { return true }
        let underscore = UInt8(ascii: "_")
        return bytes == [UInt8(ascii: ".")] || bytes == [underscore] || bytes == [underscore, underscore]
    }

    private static func isLabel(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let first = bytes.first, let last = bytes.last, isAlphanumeric(first), isAlphanumeric(last) else {
            return false
        }
        return bytes.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isPort(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy { (48...57).contains($0) }
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        isLowerHex(byte) || (65...70).contains(byte) || byte == UInt8(ascii: ":")
    }

    private static func isLowerOrDigit(_ byte: UInt8) -> Bool { (97...122).contains(byte) || (48...57).contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte) || (65...90).contains(byte) }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool { isLetter(byte) || (48...57).contains(byte) }
}
