// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// The receiving side of one connection: decodes requests and, after a hijack, hands out plain bytes, beginning with
/// those that came behind the request.
actor ConnectionReader {
    private enum Mode {
        case requests
        case raw
    }

    private let inlet: ByteInlet
    private var decoder = RequestDecoder()
    private var mode = Mode.requests
    private var bodyEnded = true
    private var pendingContinue: (@Sendable () async throws -> Void)?

    init(_ inlet: ByteInlet) { self.inlet = inlet }

    /// The next request's head, or nil if the client closed between requests.
    func nextHead() async throws -> RequestHead? {
        decoder.startNextRequest()
        while true {
            if case .head(let head)? = try decoder.next() {
                bodyEnded = head.framing == .none
                return head
            }
            guard try await receive() else {
                if decoder.isBetweenRequests { return nil }
                throw RequestError("the connection ended within a request")
            }
        }
    }

    /// Called once before the first wait for body bytes: sends the `100 Continue` that the client waits for.
    func beforeBody(_ action: @escaping @Sendable () async throws -> Void) { pendingContinue = action }

    /// The next piece of the request's body, or nil at its end.
    func nextBody() async throws -> ArraySlice<UInt8>? {
        while !bodyEnded {
            switch try decoder.next() {
            case .body(let data)?: return data
            case .end?, .head?: bodyEnded = true
            case nil: try await receiveBody()
            }
        }
        return nil
    }

    private func receiveBody() async throws {
        if let action = pendingContinue {
            pendingContinue = nil
            try await action()
        }
        guard try await receive() else { throw RequestError("the connection ended within a request body") }
    }

    /// Reads and drops the rest of the body, at most `limit` bytes of it; false if there is more.
    func skipBody(limit: Int) async throws -> Bool {
        if pendingContinue != nil, !bodyEnded { return false }  // the client still waits for our leave to send it
        if decoder.remaining > UInt64(limit) { return false }
        var skipped = 0
        while let data = try await nextBody() {
            skipped += data.count
            if skipped > limit { return false }
        }
        return true
    }

    /// From here on bytes are no longer requests. The request's body must have been read.
    func startRaw() { mode = .raw }

    /// The next bytes of the hijacked stream, or nil once the client has closed its side.
    func nextRaw() async throws -> [UInt8]? {
        precondition(mode == .raw, "startRaw comes first")
        while true {
            let rest = decoder.takeRest()
            if !rest.isEmpty { return Array(rest) }
            guard try await receive() else { return nil }
        }
    }

    /// Reads until the client closes, dropping everything.
    func drain() async throws {
        repeat { _ = decoder.takeRest() } while try await receive()
    }

    /// Appends what the connection gives next to the decoder's buffer; false at the end.
    private func receive() async throws -> Bool {
        guard let buffer = try await inlet.next() else { return false }
        decoder.append(buffer.readableBytesView)
        return true
    }
}
