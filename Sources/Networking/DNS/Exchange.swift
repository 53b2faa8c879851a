// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem

/// One question that is passed on: to each server in turn until one answers. Over the transport that the client used,
/// so that an answer too long for a datagram reaches the client as it would directly.
final class Exchange {
    let container: String
    let path: ReplyPath
    let namespace: String
    fileprivate let message: [UInt8]
    fileprivate var upstreams: ArraySlice<NameServer.Upstream>
    fileprivate var socket: SocketBox?
    /// The id under which the present server was asked.
    fileprivate var id: UInt16 = 0
    fileprivate var output: [UInt8] = []
    fileprivate var input: [UInt8] = []
    /// The last server's failure, for the client if nobody does better.
    fileprivate var failure: [UInt8]?
    fileprivate(set) var deadline: Int64 = 0

    /// How long each server has (docker's).
    fileprivate static let patienceNanoseconds: Int64 = 4_000_000_000
    /// Of a long list the first are asked (docker's).
    private static let maximumServers = 3

    init(
        container: String, message: [UInt8], upstreams: [NameServer.Upstream], namespace: String, path: ReplyPath
    ) {
        self.container = container
        self.message = message
        self.upstreams = upstreams.prefix(Self.maximumServers)
        self.namespace = namespace
        self.path = path
    }
}

extension NameServerLoop {
    /// Asks the next server; without one, the client is told that it failed.
    func begin(_ exchange: Exchange) {
        while let upstream = exchange.upstreams.popFirst() {
            guard let socket = try? open(upstream, exchange) else { continue }
            exchange.socket = socket
            exchange.id = .random(in: 0 ... .max)
            exchange.input = []
            exchange.deadline = monotonicNanoseconds() + Exchange.patienceNanoseconds
            let question = DNSReply.withID(exchange.id, exchange.message)
            exchange.output = exchange.path.isDatagram ? question : framed(question)
            guard let token = add(.exchange(exchange), socket.fd.raw, .writable) else { continue }
            if exchange.path.isDatagram { proceed(exchange, token) }
            return
        }
        let failure = exchange.failure ?? DNSQuery(exchange.message)?.answer(.serverFailure)
        if let failure { send(failure, exchange.path) }
    }

    /// Gives this server up for the next.
    func retry(_ exchange: Exchange, _ token: UInt64) {
        remove(token)
        begin(exchange)
    }

    /// Writes the question, reads the answer: as far as it goes now.
    func proceed(_ exchange: Exchange, _ token: UInt64) {
        guard let socket = exchange.socket else { return remove(token) }
        if !exchange.output.isEmpty {
            switch writeNonBlocking(socket.fd, exchange.output[...]) {
            case .bytes(let count):
                exchange.output.removeFirst(exchange.path.isDatagram ? exchange.output.count : count)
            case .wouldBlock: return
            case .ended: return retry(exchange, token)
            }
            if exchange.output.isEmpty { modify(socket.fd.raw, token, .readable) }
            return
        }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        switch readNonBlocking(socket.fd, into: &buffer) {
        case .bytes(let count): take(buffer[..<count], exchange, token)
        case .wouldBlock: break
        case .ended: retry(exchange, token)
        }
    }

    private func take(_ bytes: ArraySlice<UInt8>, _ exchange: Exchange, _ token: UInt64) {
        guard !exchange.path.isDatagram else { return finish(Array(bytes), exchange, token) }
        exchange.input += bytes
        if let answer = takeMessage(&exchange.input) { finish(answer, exchange, token) }
    }

    private func finish(_ answer: [UInt8], _ exchange: Exchange, _ token: UInt64) {
        guard DNSReply.isAnswer(answer[...], id: exchange.id) else { return }  // not what was asked: wait on
        let original = UInt16(exchange.message[0]) << 8 | UInt16(exchange.message[1])
        let reply = DNSReply.withID(original, answer)
        if DNSReply.isFailure(answer[...]), !exchange.upstreams.isEmpty {
            exchange.failure = reply
            return retry(exchange, token)
        }
        remove(token)
        send(reply, exchange.path)
    }

    /// A socket that takes answers from this server only.
    private func open(_ upstream: NameServer.Upstream, _ exchange: Exchange) throws(SysError) -> SocketBox {
        let type = exchange.path.isDatagram ? SOCK_DGRAM : SOCK_STREAM
        guard upstream.isInContainer else { return try connectedSocket(to: upstream.address, type) }
        let namespace = exchange.namespace
        return try inNetworkNamespace(FilePath(namespace)) { () throws(SysError) in
            try connectedSocket(to: upstream.address, type)
        }
    }
}

/// A non-blocking socket whose other end is `address`, now or soon: it is writable then.
func connectedSocket(to address: SocketAddress, _ type: __socket_type) throws(SysError) -> SocketBox {
    let flags = Int32(type.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let fd = OwnedFD(owning: try sys("socket") { socket(address.family, flags, 0) })
    let number = fd.raw
    do throws(SysError) {
        try sys("connect") { address.withPointer { connect(number, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1) } }
    } catch {
        if error.errno.rawValue != EINPROGRESS { throw error }
    }
    return SocketBox(fd)
}
