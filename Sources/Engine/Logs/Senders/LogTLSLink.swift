// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

/// TLS to whoever takes log lines (syslog-address=tcp+tls://…). Blocks; used on threads that may wait.
final class LogTLSLink: LogLink {
    /// What the driver's options say of it.
    struct Settings: Sendable, Equatable {
        /// PEM files; empty for the machine's authorities, and for no certificate of our own.
        var authorities = ""
        var certificate = ""
        var key = ""
        var skipsVerification = false
    }

    private static let patience = TimeAmount.seconds(10)

    private let channel: any Channel

    /// Connects and shakes hands.
    init(_ address: LogSocket.Address, _ settings: Settings) throws(EngineError) {
        let context = try Self.context(settings)
        let handshake = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Void.self)
        let host = address.place
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(Self.patience)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // An address is no name that a server could be asked for.
                    let name = (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLClientHandler(context: context, serverHostname: name), HandshakeWatch(handshake),
                    ])
                }
            }
        do {
            channel = try bootstrap.connect(host: host, port: Int(address.port)).wait()
        } catch {
            handshake.fail(error)
            throw .internal("dial tcp \(host):\(address.port): connect: \(error)")
        }
        do { try handshake.futureResult.wait() } catch {
            channel.close(promise: nil)
            throw .internal("dial tcp \(host):\(address.port): tls: \(error)")
        }
    }

    deinit { channel.close(promise: nil) }

    func send(_ bytes: [UInt8]) throws(SysError) {
        do {
            try channel.writeAndFlush(channel.allocator.buffer(bytes: bytes)).wait()
        } catch {
            throw SysError("send", "", .connectionReset, hint: "\(error)")
        }
    }

    func expect(_: [UInt8]) throws(SysError) {
        throw SysError("receive an answer", "", .notSupported, hint: "syslog has none")
    }

    private static func context(_ settings: Settings) throws(EngineError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if settings.skipsVerification { configuration.certificateVerification = .none }
        do {
            if !settings.authorities.isEmpty { configuration.trustRoots = .file(settings.authorities) }
            if !settings.certificate.isEmpty {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(settings.certificate)
                    .map { .certificate($0) }
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: settings.key, format: .pem))
            }
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw .invalidArgument(
                "could not load the certificates of syslog-tls-ca-cert \"\(settings.authorities)\", syslog-tls-cert "
                    + "\"\(settings.certificate)\" and syslog-tls-key \"\(settings.key)\": \(error)")
        }
    }
}

/// Tells when the handshake is done, or that it will not be.
private final class HandshakeWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let promise: EventLoopPromise<Void>

    init(_ promise: EventLoopPromise<Void>) { self.promise = promise }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? TLSUserEvent, case .handshakeCompleted = event { promise.succeed() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(ChannelError.eof)
        context.fireChannelInactive()
    }
}
