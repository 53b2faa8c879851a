// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOSSL
import SwiftASN1

/// Who a client's certificate says it is.
enum PeerName {
    /// The common name in the subject of the certificate that the client has shown; empty without one.
    static func of(_ channel: any Channel) async -> String {
        guard let certificate = try? await channel.nioSSL_peerCertificate().get(),
            let bytes = try? certificate.toDERBytes()
        else { return "" }
        return commonName(bytes)
    }

    /// X.520's commonName.
    private static let commonNameType: ASN1ObjectIdentifier = [2, 5, 4, 3]

    /// Walks a certificate in DER (RFC 5280 §4.1) as far as its subject; empty for what is no certificate.
    static func commonName(_ certificate: [UInt8]) -> String {
        var fields = (try? DER.parse(certificate))?.children.first?.children ?? []
        // The version, which may be left out.
        if fields.first?.identifier.tagClass == .contextSpecific { fields.removeFirst() }
        // Serial number, signature, issuer, validity, subject.
        guard fields.count > 4 else { return "" }
        let attributes = fields[4].children.flatMap(\.children).map(\.children)
        let name = attributes.last { pair in
            pair.count == 2 && (try? ASN1ObjectIdentifier(derEncoded: pair[0])) == commonNameType
        }
        guard case .primitive(let text)? = name?[1].content else { return "" }
        return String(decoding: text, as: UTF8.self)
    }
}

extension ASN1Node {
    fileprivate var children: [ASN1Node] {
        guard case .constructed(let nodes) = content else { return [] }
        return Array(nodes)
    }
}
