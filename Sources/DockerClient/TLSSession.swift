// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxSystem

/// TLS over one connected socket, which its owner closes afterwards. Blocking; one thread.
final class TLSSession {
    private let library: TLSLibrary
    private let context: OpaquePointer?
    private var made: OpaquePointer?

    private static let verifyPeer: CInt = 1
    private static let pem: CInt = 1
    private static let setMinimumVersion: CInt = 123
    private static let tls12: CLong = 0x303
    private static let setServerName: CInt = 55

    /// Shakes hands.
    init(descriptor: CInt, host: String, _ options: TLSOptions) throws(ClientError) {
        ignoreSignal(SIGPIPE)  // OpenSSL writes with write(2)
        library = try TLSLibrary()
        context = library.newContext(library.method())
        try configure(options)
        try shakeHands(descriptor, host, options)
    }

    deinit {
        library.free(made)
        library.freeContext(context)
    }

    private func configure(_ options: TLSOptions) throws(ClientError) {
        _ = library.controlContext(context, Self.setMinimumVersion, Self.tls12, nil)
        if let authority = options.authority {
            guard library.loadAuthorities(context, authority, nil) == 1 else {
                throw .configuration("could not read CA certificate \"\(authority)\": " + library.lastError())
            }
        } else {
            _ = library.useStandardAuthorities(context)
        }
        if let certificate = options.certificate, let key = options.key {
            guard library.useCertificate(context, certificate) == 1, library.useKey(context, key, Self.pem) == 1 else {
                throw .configuration(
                    "could not load X509 key pair (cert: \"\(certificate)\", key: \"\(key)\"): " + library.lastError()
                        + ". Make sure the key is not encrypted")
            }
        }
        library.setVerify(context, options.verifies ? Self.verifyPeer : 0, nil)
    }

    private func shakeHands(_ descriptor: CInt, _ host: String, _ options: TLSOptions) throws(ClientError) {
        made = library.new(context)
        guard made != nil, library.setDescriptor(made, descriptor) == 1 else {
            throw .broken("error during connect: " + library.lastError())
        }
        if library.setAddress(library.parameters(made), host) != 1 {  // a name, not an address
            _ = library.lastError()
            _ = library.setHost(made, host)
            _ = host.withCString {
                library.control(made, Self.setServerName, 0, UnsafeMutableRawPointer(mutating: $0))
            }
        }
        guard library.connect(made) == 1 else {
            let verdict = library.verifyResult(made)
            let reason = library.lastError()
            if options.verifies, verdict != 0, let text = library.verifyText(verdict) {
                throw .broken("error during connect: tls: failed to verify certificate: x509: " + String(cString: text))
            }
            throw .broken("error during connect: tls: " + reason)
        }
    }

    func write(_ bytes: [UInt8]) throws(ClientError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { piece in
                piece.baseAddress.map { library.write(made, $0, CInt(min(piece.count, 1 << 20))) } ?? 0
            }
            if count > 0 { rest = rest.dropFirst(Int(count)) } else { try retry(count) }
        }
    }

    /// At least one byte, or none at the end.
    func read(upTo limit: Int) throws(ClientError) -> [UInt8] {
        while true {
            var buffer = [UInt8](repeating: 0, count: limit)
            let count = buffer.withUnsafeMutableBytes { space in
                space.baseAddress.map { library.read(made, $0, CInt(limit)) } ?? 0
            }
            if count > 0 { return Array(buffer.prefix(Int(count))) }
            // 6: the daemon has said that it was all; a connection that just ends says less and is the end, too.
            let code = library.error(made, count)
            if code == 6 || code == 5 && errno != EINTR || code == 1 && library.lastError().contains("unexpected eof") {
                return []
            }
            try retry(count)
        }
    }

    /// Whether decrypted bytes wait here, of which poll(2) knows nothing.
    var hasBuffered: Bool { library.pending(made) > 0 }

    /// Tells the daemon that no more comes from us.
    func closeWriting() { _ = library.shutdown(made) }

    /// 2 and 3: the library wants to read or write more, 5: a system call failed.
    private func retry(_ result: CInt) throws(ClientError) {
        let code = library.error(made, result)
        if code == 2 || code == 3 || code == 5 && errno == EINTR { return }
        throw .broken("the TLS connection to the daemon broke: " + library.lastError())
    }
}
