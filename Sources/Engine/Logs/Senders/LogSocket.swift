// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem

/// A blocking connection to whoever takes log lines. Used on threads that may wait.
protocol LogLink: AnyObject, Sendable {
    /// Sends a whole datagram or, on a stream, all bytes.
    func send(_ bytes: [UInt8]) throws(SysError)

    /// Reads an answer; another one is an error (EPROTO), and so is one that does not come in time.
    func expect(_ answer: [UInt8]) throws(SysError)
}

/// TCP, UDP or a unix socket.
final class LogSocket: LogLink {
    /// Where lines go: `udp://host:port`, `unixgram:///dev/log`.
    struct Address: Sendable, Equatable {
        /// `tcp`, `udp`, `unix` or `unixgram`.
        var scheme: String
        /// Host or path.
        var place: String
        var port: UInt16 = 0

        var isStream: Bool { scheme == "tcp" || scheme == "unix" }
    }

    /// Seconds that a receiver may take to accept a connection or a line.
    private static let patience = 10

    private let fd: OwnedFD
    private let isStream: Bool

    init(_ address: Address) throws(EngineError) {
        isStream = address.isStream
        fd =
            ["unix", "unixgram"].contains(address.scheme)
            ? try Self.local(address) : try Self.remote(address)
    }

    func send(_ bytes: [UInt8]) throws(SysError) {
        let number = fd.raw
        var done = 0
        repeat {
            done += try sys("send") {
                bytes.withUnsafeBytes { buffer in
                    Glibc.send(
                        number, buffer.baseAddress?.advanced(by: done), bytes.count - done, CInt(MSG_NOSIGNAL))
                }
            }
        } while isStream && done < bytes.count
    }

    func expect(_ answer: [UInt8]) throws(SysError) {
        var received: [UInt8] = []
        while received.count < answer.count {
            let more = try readSome(fd, upTo: answer.count - received.count)
            if more.isEmpty { throw SysError("receive an answer", "", .connectionReset) }
            received += more
        }
        guard received == answer else { throw SysError("receive an answer", "", Errno(rawValue: EPROTO)) }
    }

    private static func local(_ address: Address) throws(EngineError) -> OwnedFD {
        let type: CInt = address.isStream ? 1 : 2  // SOCK_STREAM, SOCK_DGRAM
        do throws(SysError) {
            let fd = OwnedFD(owning: try sys("socket") { socket(AF_UNIX, type | SOCK_CLOEXEC_FLAG, 0) })
            let number = fd.raw
            try limitWaiting(number)
            try sys("connect", address.place) { swrun_connect_unix(number, address.place) }
            return fd
        } catch {
            throw .internal("dial \(address.scheme) \(address.place): connect: \(error.errno.text)")
        }
    }

    /// The first of the host's addresses that takes the connection.
    private static func remote(_ address: Address) throws(EngineError) -> OwnedFD {
        var hints = addrinfo()
        hints.ai_socktype = address.isStream ? 1 : 2  // SOCK_STREAM, SOCK_DGRAM
        var list: UnsafeMutablePointer<addrinfo>?
        let prefix = "dial \(address.scheme)"
        let code = getaddrinfo(address.place, String(address.port), &hints, &list)
        guard code == 0 else {
            throw .internal("\(prefix): lookup \(address.place): \(String(cString: gai_strerror(code)))")
        }
        defer { freeaddrinfo(list) }
        var next = list
        var failure = "no address"
        while let entry = next?.pointee {
            next = entry.ai_next
            do throws(SysError) {
                let fd = OwnedFD(
                    owning: try sys("socket") {
                        socket(entry.ai_family, entry.ai_socktype | SOCK_CLOEXEC_FLAG, entry.ai_protocol)
                    })
                let number = fd.raw
                try limitWaiting(number)
                var target = __CONST_SOCKADDR_ARG()
                target.__sockaddr__ = UnsafePointer(entry.ai_addr)
                let length = entry.ai_addrlen
                try sys("connect") { connect(number, target, length) }
                return fd
            } catch { failure = error.errno.text }
        }
        throw .internal("\(prefix) \(address.place):\(address.port): connect: \(failure)")
    }

    private static func limitWaiting(_ fd: CInt) throws(SysError) {
        var time = timeval(tv_sec: patience, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            try sys("setsockopt") { setsockopt(fd, SOL_SOCKET, option, &time, size) }
        }
    }
}

extension LogSocket.Address {
    /// `scheme://host:port`; nil for what is none of these.
    init?(_ text: String, schemes: [String], defaultPort: UInt16?) {
        guard let range = text.firstRange(of: "://"), schemes.contains(String(text[..<range.lowerBound])) else {
            return nil
        }
        scheme = String(text[..<range.lowerBound])
        let rest = String(text[range.upperBound...])
        if scheme.hasPrefix("unix") {
            (place, port) = (rest, 0)
            return
        }
        guard let (host, port) = Self.split(rest, defaultPort) else { return nil }
        (place, self.port) = (host, port)
    }

    /// `host:port`, `[::1]:port`, or a host alone if there is a port to assume.
    static func split(_ text: String, _ defaultPort: UInt16?) -> (host: String, port: UInt16)? {
        let isBracketed = text.hasPrefix("[")
        let host =
            isBracketed ? String(text.dropFirst().prefix { $0 != "]" }) : String(text.prefix { $0 != ":" })
        let rest = text.dropFirst(host.count + (isBracketed ? 2 : 0))
        if rest.isEmpty { return defaultPort.map { (host, $0) } }
        guard rest.hasPrefix(":"), let port = UInt16(rest.dropFirst()) else { return nil }
        return (host, port)
    }
}
