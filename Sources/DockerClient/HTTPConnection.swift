// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Proxies

/// One connection to the daemon with the bytes that were read ahead of their use. Blocking; one thread.
package final class HTTPConnection {
    let fd: OwnedFD
    private var tls: TLSSession?
    private var buffer: [UInt8] = []
    private var position = 0
    /// Whether a request was answered here before: then the peer may have closed it meanwhile.
    var isReused = false
    /// Who passes the requests on to the daemon, if it is not the peer.
    var proxy: ProxySettings.Server?

    init(_ fd: consuming OwnedFD) {
        self.fd = fd
    }

    /// Shakes hands with the daemon of this name; all that follows is encrypted.
    func startTLS(host: String, _ options: TLSOptions) throws(ClientError) {
        tls = try TLSSession(descriptor: fd.raw, host: host, options)
    }

    /// The descriptor, for poll(2).
    package var descriptor: CInt { fd.raw }

    /// Whether bytes are waiting here that poll(2) does not know of.
    package var hasBuffered: Bool { position < buffer.count || tls?.hasBuffered == true }

    package func send(_ bytes: [UInt8]) throws(ClientError) {
        if let tls { return try tls.write(bytes) }
        do throws(SysError) { try sendAll(fd, bytes) } catch { throw .broken(error.description) }
    }

    /// Sends what goes without waiting for the peer, who may himself be waiting for us to receive; to be called when
    /// poll(2) says that the descriptor can be written to.
    ///
    /// - Returns: how many bytes went.
    package func sendSome(_ bytes: ArraySlice<UInt8>) throws(ClientError) -> Int {
        if let tls {
            // What TLS sends at once, and a socket that is ready has room for.
            let record = Array(bytes.prefix(1 << 14))
            try tls.write(record)
            return record.count
        }
        switch bytes.withUnsafeBytes({ sendNonBlocking(fd, $0) }) {
        case .bytes(let count): return count
        case .wouldBlock: return 0
        case .ended: throw .broken("send: the daemon has closed the connection")
        }
    }

    /// Sends one chunk of a body (RFC 9112 §7.1).
    func send(chunk piece: BodyPiece) throws(ClientError) {
        var begin = Array((String(piece.count, radix: 16) + "\r\n").utf8)
        switch piece {
        case .bytes(let bytes):
            begin.reserveCapacity(begin.count + bytes.count + Self.lineEnd.count)
            begin += bytes
            begin += Self.lineEnd
            try send(begin)
        case .file(let file, let count):
            try send(begin)
            try send(file, count: count)
            try send(Self.lineEnd)
        }
    }

    private static let lineEnd: [UInt8] = [13, 10]
    /// Half of what malloc(3) would map and unmap for each piece.
    private static let pieceBytes = 1 << 16

    private func send(_ file: OpenFile, count: Int) throws(ClientError) {
        var left = count
        if tls == nil {
            do throws(SysError) { left -= try spliceAll(file.fd, fd, count) } catch { throw .broken(error.description) }
        }
        while left > 0 {
            let limit = min(left, Self.pieceBytes)
            let bytes: [UInt8]
            do throws(SysError) { bytes = try readSome(file.fd, upTo: limit) } catch {
                throw .source("read \(file.path): \(error.errno.text)")
            }
            if bytes.isEmpty { throw .source("read \(file.path): the file ends before its size") }
            try send(bytes)
            left -= bytes.count
        }
    }

    package func closeWriting() {
        if let tls { tls.closeWriting() } else { _ = try? shutdownWriting(fd) }
    }

    /// At most `limit` bytes, read-ahead first; empty at the end.
    package func receive(upTo limit: Int = 65536) throws(ClientError) -> [UInt8] {
        if position == buffer.count { try fill() }
        if position == 0, buffer.count <= limit {
            defer { buffer = [] }
            return buffer
        }
        let count = min(limit, buffer.count - position)
        defer { position += count }
        return Array(buffer[position..<position + count])
    }

    /// The same into memory that is there already; 0 at the end. What was not read ahead comes without being copied.
    func receive(into space: UnsafeMutableRawBufferPointer) throws(ClientError) -> Int {
        if position == buffer.count {
            if tls == nil { return try readPlain { () throws(SysError) in try readSome(fd, into: space) } ?? 0 }
            try fill()
        }
        let count = min(space.count, buffer.count - position)
        space.copyBytes(from: buffer[position..<position + count])
        position += count
        return count
    }

    /// One line without its CR LF; nil at the end of the stream.
    func line(limit: Int = 65536) throws(ClientError) -> String? {
        var collected: [UInt8] = []
        while true {
            if position == buffer.count { try fill() }
            if position == buffer.count { return nil }
            let rest = buffer[position...]
            if let newline = rest.firstIndex(of: 10) {
                collected += rest[..<newline]
                position = newline + 1
                if collected.last == 13 { collected.removeLast() }
                return String(decoding: collected, as: UTF8.self)
            }
            collected += rest
            position = buffer.count
            if collected.count > limit { throw .broken("malformed HTTP response: a line of more than \(limit) bytes") }
        }
    }

    private func fill() throws(ClientError) {
        position = 0
        if let tls {
            buffer = try tls.read(upTo: 65536)
            return
        }
        buffer = []
        buffer = try readPlain { () throws(SysError) in try readSome(fd, upTo: 65536) } ?? []
    }

    /// What `read` gives; nil if the peer has cut the connection.
    private func readPlain<Result>(_ read: () throws(SysError) -> Result) throws(ClientError) -> Result? {
        do throws(SysError) { return try read() } catch {
            guard error.errno == .connectionReset else { throw .broken(error.description) }
            return nil
        }
    }
}
