// SPDX-License-Identifier: Apache-2.0
import JSON

/// Where a plugin answers: a socket, or a URL with what TLS needs.
struct PluginAddress: Sendable, Equatable {
    /// The files of `TLSConfig` in a plugin's `.json`; empty for none.
    struct TLS: Sendable, Equatable {
        var authorities = ""
        var certificate = ""
        var key = ""
        /// Whether the plugin's certificate is checked at all.
        var verifies = false
    }

    /// What the HTTP client takes: `http+unix://…`, `http://…` or `https://…`.
    var url: String
    var tls = TLS()

    var isSocket: Bool { url.hasPrefix("http+unix:") }

    init(socket path: String) { url = Self.url(socket: path) }

    /// The text of a `.spec`: `unix:///path`, `tcp://host:port`, `http://…` or `https://…`.
    init(url text: String) throws(PluginError) {
        let text = String(text.split(whereSeparator: \.isWhitespace).first ?? "")
        if text.hasPrefix("unix:///") {
            url = Self.url(socket: String(text.dropFirst("unix://".count)))
        } else if text.hasPrefix("tcp://") {
            url = "http://" + text.dropFirst("tcp://".count)
        } else if text.hasPrefix("http://") || text.hasPrefix("https://") {
            url = text
        } else {
            throw PluginError(.unreachable, "unknown protocol in the plugin's address \"\(text)\"")
        }
        while url.hasSuffix("/") { url.removeLast() }
    }

    private static func url(socket path: String) -> String {
        "http+unix://"
            + path.utf8.map { byte in
                let isPlain = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }.joined()
    }

    /// A `.json`: `Addr` and maybe `TLSConfig`.
    init(json: JSONValue) throws(PluginError) {
        try self.init(url: json["Addr"]?.string ?? "")
        guard let given = json["TLSConfig"], given.members != nil else { return }
        tls.authorities = given["CAFile"]?.string ?? ""
        tls.certificate = given["CertFile"]?.string ?? ""
        tls.key = given["KeyFile"]?.string ?? ""
        // Without an authority there is nothing to check with, as docker has it.
        tls.verifies = !tls.authorities.isEmpty && given["InsecureSkipVerify"]?.bool != true
        if url.hasPrefix("http://") { url = "https://" + url.dropFirst("http://".count) }
    }
}
