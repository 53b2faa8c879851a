// SPDX-License-Identifier: Apache-2.0
import Engine
import JSON

/// The `X-Registry-Auth` header: base64url of a JSON object.
enum RegistryAuth {
    /// No header, an empty one and `{}` all mean nobody in particular.
    static func credentials(_ header: String?) throws(EngineError) -> RegistryCredentials {
        guard let header, !header.isEmpty else { return RegistryCredentials() }
        guard let bytes = decodeBase64(header), let json = try? JSONValue(parsing: bytes) else {
            throw .invalidArgument("invalid X-Registry-Auth header: invalid JSON or base64")
        }
        return credentials(of: json)
    }

    /// Reads docker's AuthConfig object.
    static func credentials(of json: JSONValue) -> RegistryCredentials {
        var credentials = RegistryCredentials()
        let token = json["identitytoken"]?.string ?? ""
        credentials.isIdentityToken = !token.isEmpty
        credentials.username = json["username"]?.string ?? ""
        credentials.secret = token.isEmpty ? json["password"]?.string ?? "" : token
        return credentials
    }

    /// Both alphabets of RFC 4648, with or without padding.
    static func decodeBase64(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var accumulator: UInt32 = 0
        var bits = 0
        for character in text.utf8.prefix(while: { $0 != UInt8(ascii: "=") }) {
            guard let value = sextet(character) else { return nil }
            accumulator = accumulator << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: accumulator >> UInt32(bits)))
            }
        }
        return bytes
    }

    private static func sextet(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 65...90: byte - 65
        case 97...122: byte - 71
        case 48...57: byte + 4
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
