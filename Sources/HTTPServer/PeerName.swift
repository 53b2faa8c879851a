// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOSSL

/// Who a client's certificate says it is.
enum PeerName {
    /// The common name in the subject of the certificate that the client has shown; empty without one.
    static func of(_ channel: any Channel) async -> String {
        guard let certificate = try? await channel.nioSSL_peerCertificate().get(),
            let bytes = try? certificate.toDERBytes()
        else { return "" }
        return commonName(bytes[...])
    }

    /// An object identifier: 2.5.4.3, commonName (X.520).
    private static let commonNameType: [UInt8] = [0x55, 0x04, 0x03]

    /// Walks a certificate in DER (RFC 5280 §4.1) as far as its subject; empty for what is no certificate.
    static func commonName(_ certificate: ArraySlice<UInt8>) -> String {
        var outer = certificate
        guard var signed = element(&outer)?.content, var body = element(&signed)?.content else { return "" }
        if body.first == 0xA0 { _ = element(&body) }  // the version, which may be left out
        for _ in 0..<4 { _ = element(&body) }  // serial number, signature, issuer, validity
        guard var subject = element(&body)?.content else { return "" }
        var name = ""
        while var set = element(&subject)?.content {
            while var pair = element(&set)?.content {
                guard let type = element(&pair), let value = element(&pair) else { break }
                if Array(type.content) == commonNameType { name = String(decoding: value.content, as: UTF8.self) }
            }
        }
        return name
    }

    /// Takes the first element off; nil at the end, or if its length goes beyond it.
    private static func element(_ bytes: inout ArraySlice<UInt8>) -> (tag: UInt8, content: ArraySlice<UInt8>)? {
        guard let tag = bytes.popFirst(), let first = bytes.popFirst() else { return nil }
        var length = Int(first)
        if first >= 0x80 {
            let count = Int(first & 0x7F)
            guard (1...3).contains(count), bytes.count >= count else { return nil }
            length = bytes.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            bytes = bytes.dropFirst(count)
        }
        guard bytes.count >= length else { return nil }
        let content = bytes.prefix(length)
        bytes = bytes.dropFirst(length)
        return (tag, content)
    }
}
