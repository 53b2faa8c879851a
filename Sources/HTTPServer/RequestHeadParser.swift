// SPDX-License-Identifier: Apache-2.0

/// Reads the lines of a request head, strictly (RFC 9112): what two parsers could understand in two ways is refused.
struct RequestHeadParser {
    static let maximumFields = 256

    private var method = ""
    private var target = ""
    private var minorVersion = 1
    private var headers = HeaderFields()
    private var hasRequestLine = false

    /// Takes one line without its CRLF. Returns the head at the empty line that ends it.
    mutating func take(line: ArraySlice<UInt8>) throws(RequestError) -> RequestHead? {
        if !hasRequestLine {
            if line.isEmpty { return nil }  // RFC 9112 §2.2: empty lines before the request line are ignored
            try takeRequestLine(line)
            hasRequestLine = true
            return nil
        }
        if line.isEmpty { return try head() }
        if headers.fields.count >= Self.maximumFields { throw RequestError(.headerTooLarge, "too many header fields") }
        let (name, value) = try Self.field(line)
        headers.append(name, value)
        return nil
    }

    private mutating func takeRequestLine(_ line: ArraySlice<UInt8>) throws(RequestError) {
        let parts = line.split(separator: 32, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy({ isTokenByte($0) }) else {
            throw RequestError("malformed request line")
        }
        guard !parts[1].isEmpty, parts[1].allSatisfy({ $0 > 32 && $0 != 127 }) else {
            throw RequestError("malformed request target")
        }
        method = String(decoding: parts[0], as: UTF8.self)
        target = Self.originForm(String(decoding: parts[1], as: UTF8.self))
        switch String(decoding: parts[2], as: UTF8.self) {
        case "HTTP/1.1": minorVersion = 1
        case "HTTP/1.0": minorVersion = 0
        case let version where version.hasPrefix("HTTP/"):
            throw RequestError(.versionNotSupported, "unsupported protocol version")
        default: throw RequestError("malformed HTTP version")
        }
    }

    /// `http://host/path` to `/path` (RFC 9112 §3.2.2).
    private static func originForm(_ target: String) -> String {
        guard let scheme = ["http://", "https://"].first(where: { target.lowercased().hasPrefix($0) }) else {
            return target
        }
        let rest = target.dropFirst(scheme.count).drop { $0 != "/" }
        return rest.isEmpty ? "/" : String(rest)
    }

    /// `name: value`, also used for trailers.
    static func field(_ line: ArraySlice<UInt8>) throws(RequestError) -> (name: String, value: String) {
        if line.first == 32 || line.first == 9 { throw RequestError("folded header line") }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy({ isTokenByte($0) })
        else { throw RequestError("malformed header field name") }
        let value = line[(colon + 1)...]
        guard value.allSatisfy({ $0 >= 32 && $0 != 127 || $0 == 9 }) else {
            throw RequestError("control character in header field value")
        }
        return (String(decoding: line[..<colon], as: UTF8.self), trimmed(String(decoding: value, as: UTF8.self)))
    }

    private func head() throws(RequestError) -> RequestHead {
        let hosts = headers.all("Host")
        if hosts.count > 1 { throw RequestError("too many Host headers") }
        if hosts.isEmpty, minorVersion == 1 { throw RequestError("missing required Host header") }
        return RequestHead(
            method: method, target: target, minorVersion: minorVersion, headers: headers, framing: try framing())
    }

    /// RFC 9112 §6.3, without its lenient parts: both Content-Length and Transfer-Encoding is request smuggling.
    private func framing() throws(RequestError) -> BodyFraming {
        let lengths = headers.all("Content-Length")
        let encodings = headers.all("Transfer-Encoding")
        if encodings.isEmpty {
            guard let text = lengths.first else { return .none }
            if lengths.count > 1 { throw RequestError("more than one Content-Length") }
            guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let length = UInt64(text),
                length <= UInt64(Int64.max)
            else { throw RequestError("malformed Content-Length") }
            return length == 0 ? .none : .length(length)
        }
        if !lengths.isEmpty { throw RequestError("both Content-Length and Transfer-Encoding") }
        if minorVersion == 0 { throw RequestError("Transfer-Encoding in an HTTP/1.0 request") }
        guard encodings.count == 1, encodings[0].lowercased() == "chunked" else {
            throw RequestError(.notImplemented, "unsupported transfer encoding")
        }
        return .chunked
    }
}

/// A byte of a token (RFC 9110 §5.6.2).
private func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122: true
    case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
    default: false
    }
}
