// SPDX-License-Identifier: Apache-2.0

/// An http or https URL cut into the parts that decide who gets credentials.
struct RemoteURL: Sendable, Equatable {
    var scheme: String
    /// `host[:port]` in lower case, without user information.
    var authority: String
    /// Path and query, with the slash.
    var rest: String

    init?(_ text: String) {
        guard text.utf8.count <= 16384, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        guard let mark = text.firstRange(of: "://") else { return nil }
        scheme = text[..<mark.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let after = text[mark.upperBound...]
        let end = after.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? after.endIndex
        authority = after[..<end].lowercased()
        guard !authority.isEmpty, !authority.contains("@"), !authority.contains("\\") else { return nil }
        let tail = after[end...].prefix { $0 != "#" }
        rest = tail.hasPrefix("/") ? String(tail) : "/" + tail
    }

    var string: String { scheme + "://" + authority + rest }

    /// The two have scheme, host and port in common: what one may know, the other may.
    func hasOrigin(of other: RemoteURL) -> Bool { scheme == other.scheme && authority == other.authority }

    /// The target of a redirect from here; nil if it is no place to go to.
    func redirected(to location: String) -> RemoteURL? {
        if location.hasPrefix("//") { return RemoteURL(scheme + ":" + location) }
        if location.hasPrefix("/") { return RemoteURL(scheme + "://" + authority + location) }
        if location.firstRange(of: "://") != nil { return RemoteURL(location) }
        let path = rest.prefix { $0 != "?" }
        let directory = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
        return RemoteURL(scheme + "://" + authority + directory + location)
    }

    /// `text` for a query, everything but RFC 3986's unreserved characters encoded.
    static func queryEncoded(_ text: String) -> String {
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.append(byte)
            default:
                let digits = Array("0123456789ABCDEF".utf8)
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xf)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
