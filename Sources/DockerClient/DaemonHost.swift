// SPDX-License-Identifier: Apache-2.0

/// Where the daemon listens.
package enum DaemonHost: Sendable, Equatable {
    case unix(path: String)
    case tcp(host: String, port: UInt16)
    case ssh(SSHHost)

    /// What is used when nothing says otherwise.
    package static let standard = DaemonHost.unix(path: "/run/swrun/swrun.sock")

    /// Reads `unix:///path`, `tcp://host:port` and `host:port`; the error is a sentence for the user.
    ///
    /// - Parameter usesTLS: decides the port where none is named.
    package static func parse(_ text: String, usesTLS: Bool = false) throws(ClientError) -> DaemonHost {
        guard let (scheme, rest) = split(text, at: "://") else {
            return try tcp(text, original: text, usesTLS)
        }
        switch scheme {
        case "unix":
            return .unix(path: rest.isEmpty ? "/run/swrun/swrun.sock" : rest)
        case "tcp", "http": return try tcp(rest, original: text, usesTLS)
        case "https": return try tcp(rest, original: text, true)
        case "ssh": return .ssh(try SSHHost(parsing: rest))
        case "npipe", "fd":
            throw .badHost("unable to use \"\(text)\": \(scheme):// is not supported by swrun yet")
        default: throw .badHost("invalid bind address format: \(text)")
        }
    }

    private static func tcp(_ text: String, original: String, _ usesTLS: Bool) throws(ClientError) -> DaemonHost {
        var address = Substring(text)
        if let slash = address.firstIndex(of: "/") { address = address[..<slash] }
        var port: UInt16 = usesTLS ? 2376 : 2375
        let afterBracket = address.lastIndex(of: "]") ?? address.startIndex
        if let colon = address[afterBracket...].lastIndex(of: ":") {
            guard let number = UInt16(address[address.index(after: colon)...]) else {
                throw .badHost("parse \"\(original)\": invalid port \"\(address[colon...])\" after host")
            }
            port = number
            address = address[..<colon]
        }
        if address.hasPrefix("["), address.hasSuffix("]") { address = address.dropFirst().dropLast() }
        return .tcp(host: address.isEmpty ? "localhost" : String(address), port: port)
    }

    /// As messages show it.
    package var description: String {
        switch self {
        case .unix(let path): "unix://" + path
        case .tcp: "tcp://" + authority
        case .ssh(let host): host.description
        }
    }
}

/// `text` before and after the first occurrence of `mark`.
func split(_ text: String, at mark: String) -> (String, String)? {
    let bytes = Array(text.utf8)
    let wanted = Array(mark.utf8)
    guard bytes.count >= wanted.count else { return nil }
    for index in 0...(bytes.count - wanted.count) where Array(bytes[index..<index + wanted.count]) == wanted {
        let rest = bytes[(index + wanted.count)...]
        return (String(decoding: bytes[..<index], as: UTF8.self), String(decoding: rest, as: UTF8.self))
    }
    return nil
}
