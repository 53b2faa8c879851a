// SPDX-License-Identifier: Apache-2.0
import Crypto
import HTTPServer
import JSON

/// A client's wish to speak web socket (RFC 6455 §4.2).
struct WebSocketHandshake: Sendable {
    /// The fields of our `101 Switching Protocols`.
    let answer: [(name: String, value: String)]

    /// Nil if the request does not ask for version 13 of the protocol.
    init?(_ headers: HeaderFields) {
        guard headers.tokens("Connection").contains("upgrade"), headers.tokens("Upgrade").contains("websocket"),
            headers["Sec-WebSocket-Version"] == "13", let key = headers["Sec-WebSocket-Key"],
            Base64.decode(key)?.count == 16
        else { return nil }
        // The identifier is RFC 6455's own (§1.3).
        let digest = Insecure.SHA1.hash(data: Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        answer = [
            ("Upgrade", "websocket"), ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", Base64.encode(Array(digest))),
        ]
    }
}
