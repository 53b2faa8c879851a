// SPDX-License-Identifier: Apache-2.0

/// One challenge of a `WWW-Authenticate` header (RFC 9110 §11.6.1): a scheme and its parameters.
struct AuthChallenge: Sendable, Equatable {
    /// In lower case.
    var scheme: String
    /// Names in lower case.
    var parameters: [String: String]

    /// Reads all challenges of one header line; what cannot be understood ends the reading.
    static func parse(_ header: String) -> [AuthChallenge] {
        var scanner = ChallengeScanner(Array(header.utf8.prefix(8192)))
        return scanner.challenges()
    }
}

private struct ChallengeScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func challenges() -> [AuthChallenge] {
        var challenges: [AuthChallenge] = []
        while let token = separatedToken() {
            if take(UInt8(ascii: "=")) {
                // `name=value` belongs to the challenge before it.
                guard !challenges.isEmpty, let value = value() else { return challenges }
                challenges[challenges.count - 1].parameters[token.lowercased()] = value
            } else {
                challenges.append(AuthChallenge(scheme: token.lowercased(), parameters: [:]))
            }
        }
        return challenges
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    /// The next token, after any white space and commas.
    private mutating func separatedToken() -> String? {
        while let byte = peek, byte == UInt8(ascii: " ") || byte == UInt8(ascii: ",") || byte == 9 { position += 1 }
        return token()
    }

    private mutating func token() -> String? {
        let start = position
        while let byte = peek, Self.isTokenByte(byte) { position += 1 }
        return position > start ? String(decoding: bytes[start..<position], as: UTF8.self) : nil
    }

    /// A token or a quoted string with backslash escapes.
    private mutating func value() -> String? {
        guard take(UInt8(ascii: "\"")) else { return token() }
        var text: [UInt8] = []
        while let byte = peek {
            position += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") {
                guard let escaped = peek else { return nil }
                position += 1
                text.append(escaped)
            } else {
                text.append(byte)
            }
        }
        return nil
    }

    /// RFC 9110 tchar, and the characters of token68, which are harmless here.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: Array("!#$%&'*+-.^_`|~/:?@".utf8).contains(byte)
        }
    }
}
