// SPDX-License-Identifier: Apache-2.0

/// Where a client wants a process's output to go: what its stdout or stderr string means.
///
///     ""                                  nowhere
///     /run/fifo/id-stdout                 a FIFO that the client reads (containerd's contract), or an existing file
///     file:///path                        a file, appended to
///     json-file:///path?max-size=BYTES&max-file=N&attrs=JSON&attach=PATH
///                                         docker's json-file log written by the shim, and an attach socket; each line
///                                         has `attrs`, an object, as its `attrs` member
///     attach:///path                      an attach socket alone
///
/// Values are percent-encoded.
enum OutputTarget: Sendable, Equatable {
    case none
    case path(String)
    case file(String)
    case managed(ManagedOutput)

    struct InvalidTarget: Error, Sendable, Equatable {
        var message: String
        /// The form is known to containerd, but not served here.
        var isUnsupported = false
    }

    init(parsing text: String) throws(InvalidTarget) {
        guard let uri = StdioURI(text) else {
            self = text.utf8.isEmpty ? .none : .path(text)
            return
        }
        guard uri.path.utf8.first == UInt8(ascii: "/") else {
            throw InvalidTarget(message: "\(text): the path must be absolute")
        }
        switch uri.scheme {
        case "fifo": self = .path(uri.path)
        case "file": self = .file(uri.path)
        case "attach": self = .managed(ManagedOutput(attachPath: uri.path))
        case "json-file": self = .managed(try ManagedOutput(jsonFile: uri))
        default:
            throw InvalidTarget(message: "\(uri.scheme):// log target is not implemented", isUnsupported: true)
        }
    }
}

/// Output that the shim itself takes care of.
struct ManagedOutput: Sendable, Equatable {
    var log: LogSettings?
    var attachPath: String?

    init(log: LogSettings? = nil, attachPath: String? = nil) {
        self.log = log
        self.attachPath = attachPath
    }

    init(jsonFile uri: StdioURI) throws(OutputTarget.InvalidTarget) {
        var settings = LogSettings(path: uri.path)
        for (key, value) in uri.query {
            switch key {
            case "max-size": settings.maximumBytes = try positive(key, value)
            case "max-file": settings.maximumFiles = Int(try positive(key, value))
            case "attrs": settings.attributes = value
            case "attach": attachPath = value
            default: throw OutputTarget.InvalidTarget(message: "json-file: unknown option \(key)")
            }
        }
        log = settings
    }
}

/// A log file, its rotation included.
struct LogSettings: Sendable, Equatable {
    var path: String
    /// The size at which a file is full; nil: never.
    var maximumBytes: Int64?
    /// How many files there are at most, the one being written included.
    var maximumFiles = 1
    /// A JSON object that every line carries; empty: none.
    var attributes = ""

    init(path: String) { self.path = path }
}

private func positive(_ key: String, _ value: String) throws(OutputTarget.InvalidTarget) -> Int64 {
    guard let number = Int64(value), number > 0 else {
        throw OutputTarget.InvalidTarget(message: "json-file: \(key) must be a positive number")
    }
    return number
}

/// A URI as far as stdio needs one: scheme, path and query, percent-decoded.
struct StdioURI: Equatable {
    var scheme: String
    var path: String
    var query: [(key: String, value: String)]

    /// Nil if `text` has no scheme, so that it is a plain path. `attach:` alone is a scheme with an empty path.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[..<colon].allSatisfy(isSchemeByte), colon > 0
        else { return nil }
        scheme = String(decoding: bytes[..<colon], as: UTF8.self)
        var rest = bytes[(colon + 1)...]
        if rest.starts(with: Array("//".utf8)) { rest = rest.dropFirst(2) }
        let mark = rest.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex
        path = percentDecoded(rest[..<mark])
        query = rest[mark...].dropFirst().split(separator: UInt8(ascii: "&")).map { pair in
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            return (percentDecoded(pair[..<equals]), percentDecoded(pair[equals...].dropFirst()))
        }
    }

    static func == (left: StdioURI, right: StdioURI) -> Bool {
        left.scheme == right.scheme && left.path == right.path
            && left.query.elementsEqual(right.query) { $0.key == $1.key && $0.value == $1.value }
    }
}

private func isSchemeByte(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "-") || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
}

private func percentDecoded(_ bytes: ArraySlice<UInt8>) -> String {
    var result: [UInt8] = []
    var index = bytes.startIndex
    while index < bytes.endIndex {
        if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.endIndex, let high = hexValue(bytes[index + 1]),
            let low = hexValue(bytes[index + 2])
        {
            result.append(high << 4 | low)
            index += 3
        } else {
            result.append(bytes[index])
            index += 1
        }
    }
    return String(decoding: result, as: UTF8.self)
}

private func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
