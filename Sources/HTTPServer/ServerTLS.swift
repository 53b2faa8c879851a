// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOSSL

/// TLS on TCP: our certificate, and whose clients are let in.
package struct ServerTLS: Sendable {
    private let context: NIOSSLContext

    /// Why the files cannot be used, in dockerd's words.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// - Parameters:
    ///   - certificate: the path of our certificate with its chain, PEM.
    ///   - key: the path of its key, PEM.
    ///   - authority: the path of the certificates that clients must be signed by, PEM; nil lets everybody in.
    package init(certificate: String, key: String, authority: String?) throws(Failure) {
        let own: (chain: [NIOSSLCertificateSource], key: NIOSSLPrivateKeySource)
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificate).map { NIOSSLCertificateSource.certificate($0) }
            own = (chain, .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
        } catch {
            throw Failure(
                description: "invalid TLS configuration: could not load X509 key pair (cert: \"\(certificate)\", "
                    + "key: \"\(key)\"): \(error). Make sure the key is not encrypted")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: own.chain, privateKey: own.key)
        configuration.sendCANameList = true  // so that a client with several certificates picks the right one
        configuration.minimumTLSVersion = .tlsv12
        configuration.shutdownTimeout = .seconds(1)  // a client that does not say goodbye holds up our end
        do {
            if let authority {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authority))
                configuration.certificateVerification = .noHostnameVerification  // clients have no host's name
            }
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw Failure(
                description: "invalid TLS configuration: could not read CA certificate \"\(authority ?? "")\": \(error)"
            )
        }
    }

    /// What comes first in a connection's pipeline.
    func addHandlers(to channel: any Channel) throws {
        try channel.pipeline.syncOperations.addHandlers([PlainTextRefusal(), NIOSSLServerHandler(context: context)])
    }
}

/// Tells a client that speaks plain HTTP to a TLS socket so, in the words of Go's server, which clients explain.
private final class PlainTextRefusal: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let text =
        "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"

    private var isDecided = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isDecided { return context.fireChannelRead(data) }
        isDecided = true
        let first = unwrapInboundIn(data).readableBytesView.first
        guard let first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else {
            return context.fireChannelRead(data)
        }
        let loop = context.loopBound
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: Self.text)))
            .whenComplete { _ in loop.value.close(promise: nil) }
    }
}
