// SPDX-License-Identifier: Apache-2.0

/// Cuts the bytes of a connection into requests, one at a time.
///
/// It stops at the end of each message and leaves what follows in the buffer: the next request, or the first bytes of
/// a hijacked stream, whatever the caller decides. A value without I/O: the caller feeds it (`append`) and asks for
/// parts (`next`) until it gets nil, which means "more bytes are needed" or, after `.end`, "call startNextRequest".
struct RequestDecoder {
    enum Part: Sendable, Equatable {
        case head(RequestHead)
        case body(ArraySlice<UInt8>)
        case end
    }

    private enum State {
        case head
        case body(remaining: UInt64)
        case chunkSize
        case chunkData(remaining: UInt64)
        case chunkEnd
        case trailers
        case ended
        case idle
        case failed(RequestError)
    }

    /// Request line and header fields together; docker's filters can be long.
    static let maximumHead = 256 << 10
    private static let maximumChunkLine = 4 << 10

    private var state = State.head
    private var parser = RequestHeadParser()
    private var buffer: ArraySlice<UInt8> = []
    /// Bytes of lines since the head, the chunk line or the trailers began.
    private var lineBytes = 0
    /// How much of the buffer is known to have no line end.
    private var scanned = 0

    mutating func append(_ bytes: some Collection<UInt8>) {
        if buffer.isEmpty { buffer = ArraySlice(bytes) } else { buffer.append(contentsOf: bytes) }
    }

    /// After `.end`: what is in the buffer is another request.
    mutating func startNextRequest() {
        state = .head
        parser = RequestHeadParser()
        lineBytes = 0
        scanned = 0
    }

    /// Gives away everything that was not consumed; for a hijack.
    mutating func takeRest() -> ArraySlice<UInt8> {
        defer { buffer = [] }
        return buffer
    }

    /// How much of the body is still to come, as far as the head said.
    var remaining: UInt64 {
        if case .body(let remaining) = state { return remaining }
        return 0
    }

    /// Whether the connection may end here without a request being cut off.
    var isBetweenRequests: Bool {
        switch state {
        case .head: buffer.isEmpty && lineBytes == 0
        case .ended, .idle: true
        default: false
        }
    }

    /// The next part; nil if that needs more bytes. After an error it is the same error again: nobody can tell where the
    /// next request would begin.
    mutating func next() throws(RequestError) -> Part? {
        do throws(RequestError) { return try advance() } catch {
            state = .failed(error)
            throw error
        }
    }

    private mutating func advance() throws(RequestError) -> Part? {
        while true {
            switch state {
            case .head: return try nextHead()
            case .body(let remaining): return nextBody(remaining)
            case .chunkSize: guard try nextChunkSize() else { return nil }
            case .chunkData(let remaining): return nextChunkData(remaining)
            case .chunkEnd: guard try skipChunkEnd() else { return nil }
            case .trailers: guard try nextTrailer() else { return nil }
            case .ended:
                state = .idle
                return .end
            case .idle: return nil
            case .failed(let error): throw error
            }
        }
    }

    private mutating func nextHead() throws(RequestError) -> Part? {
        while let line = try takeLine(limit: Self.maximumHead) {
            guard let head = try parser.take(line: line) else { continue }
            lineBytes = 0
            switch head.framing {
            case .none: state = .ended
            case .length(let length): state = .body(remaining: length)
            case .chunked: state = .chunkSize
            }
            return .head(head)
        }
        return nil
    }

    private mutating func nextBody(_ remaining: UInt64) -> Part? {
        guard let data = takeData(remaining) else { return nil }
        let left = remaining - UInt64(data.count)
        state = left == 0 ? .ended : .body(remaining: left)
        return .body(data)
    }

    /// `1a2b;extension`: the size is hexadecimal, extensions are ignored (RFC 9112 §7.1).
    private mutating func nextChunkSize() throws(RequestError) -> Bool {
        guard let line = try takeLine(limit: Self.maximumChunkLine) else { return false }
        let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != 32 && $0 != 9 }
        guard !digits.isEmpty, digits.count <= 15, !line.contains(where: { $0 < 32 && $0 != 9 || $0 == 127 }) else {
            throw RequestError("malformed chunk size")
        }
        let rest = line.dropFirst(digits.count).drop { $0 == 32 || $0 == 9 }
        guard rest.isEmpty || rest.first == UInt8(ascii: ";") else { throw RequestError("malformed chunk size") }
        var size: UInt64 = 0
        for byte in digits {
            guard let digit = hexDigit(byte) else { throw RequestError("malformed chunk size") }
            size = size << 4 | UInt64(digit)
        }
        lineBytes = 0
        state = size == 0 ? .trailers : .chunkData(remaining: size)
        return true
    }

    private mutating func nextChunkData(_ remaining: UInt64) -> Part? {
        guard let data = takeData(remaining) else { return nil }
        let left = remaining - UInt64(data.count)
        state = left == 0 ? .chunkEnd : .chunkData(remaining: left)
        return .body(data)
    }

    /// The CRLF behind a chunk's data.
    private mutating func skipChunkEnd() throws(RequestError) -> Bool {
        guard [13, 10].starts(with: buffer.prefix(2)) else { throw RequestError("malformed chunk") }
        if buffer.count < 2 { return false }
        buffer = buffer.dropFirst(2)
        state = .chunkSize
        return true
    }

    /// Trailer fields are checked and dropped: no handler uses them.
    private mutating func nextTrailer() throws(RequestError) -> Bool {
        guard let line = try takeLine(limit: Self.maximumHead) else { return false }
        if line.isEmpty { state = .ended } else { _ = try RequestHeadParser.field(line) }
        return true
    }

    private mutating func takeData(_ limit: UInt64) -> ArraySlice<UInt8>? {
        if buffer.isEmpty { return nil }
        let data = buffer.prefix(Int(min(limit, UInt64(buffer.count))))
        buffer = buffer.dropFirst(data.count)
        return data
    }

    /// One line without its CRLF; a bare LF or CR is an error, and so is exceeding the limit.
    private mutating func takeLine(limit: Int) throws(RequestError) -> ArraySlice<UInt8>? {
        guard let end = buffer.dropFirst(scanned).firstIndex(of: 10) else {
            scanned = buffer.count
            if lineBytes + scanned > limit { throw RequestError(.headerTooLarge, "header too large") }
            return nil
        }
        scanned = 0
        let line = buffer[buffer.startIndex..<end]
        buffer = buffer[(end + 1)...]
        lineBytes += line.count + 1
        if lineBytes > limit { throw RequestError(.headerTooLarge, "header too large") }
        guard line.last == 13 else { throw RequestError("line without carriage return") }
        let content = line.dropLast()
        if content.contains(13) { throw RequestError("carriage return within a line") }
        return content
    }
}
