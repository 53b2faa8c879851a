// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem
package import SwiftProtobuf
import Synchronization
package import TTRPC
import Threads

/// Why a remote call failed: a gRPC status code and a message for people.
package typealias RPCFailure = RPCStatus

/// A ttrpc client on one unix socket connection, shared by any number of concurrent calls.
///
/// When the peer dies, every pending call and stream fails with `unavailable`, and so does every later one: the owner
/// connects anew. Cancelling the task that calls fails the call at once with `cancelled`.
package final class TTRPCClient: Sendable {
    enum Pending: Sendable {
        case unary(CheckedContinuation<[UInt8], any Error>)
        case stream(AsyncThrowingStream<[UInt8], any Error>.Continuation)
    }

    struct State {
        var nextID: UInt32 = 1
        var pending: [UInt32: Pending] = [:]
        var isClosed = false
        var onClose: [@Sendable () -> Void] = []
    }

    let connection: Connection
    let state = Mutex(State())
    private let tellsCancellation: Bool

    /// - Parameter tellsCancellation: whether the peer is told of calls that were given up (a data frame with
    ///   `remoteClosed`, which our own server understands). Leave it off for shims.
    package init(_ socket: consuming OwnedFD, tellsCancellation: Bool = false) {
        connection = Connection(socket)
        self.tellsCancellation = tellsCancellation
        connection.startReading({ [weak self] in self?.receive($0) }, onEnd: { [weak self] in self?.connectionEnded() })
    }

    deinit { connection.close() }

    /// Connects to the socket at `path`, of any length.
    package static func connect(path: FilePath, tellsCancellation: Bool = false) throws(SysError) -> TTRPCClient {
        TTRPCClient(try UnixSocket.connect(path), tellsCancellation: tellsCancellation)
    }

    /// Whether the connection has ended.
    package var isClosed: Bool { state.withLock { $0.isClosed } }

    package func close() { connection.close() }

    /// Calls `body` once when the connection has ended, at once if it has already.
    package func onClose(_ body: @escaping @Sendable () -> Void) {
        let isClosed = state.withLock { state in
            if !state.isClosed { state.onClose.append(body) }
            return state.isClosed
        }
        if isClosed { body() }
    }

    /// A unary call with messages.
    package func call<Request: Message, Response: Message>(
        service: String, method: String, _ request: Request, metadata: [RPCMetadata] = [], timeout: Duration? = nil,
        returning: Response.Type = Response.self
    ) async throws -> Response {
        let payload: [UInt8] = try request.serializedBytes()
        let bytes = try await call(
            service: service, method: method, payload: payload, metadata: metadata, timeout: timeout)
        return try decodeMessage(bytes)
    }

    /// A unary call with encoded messages.
    package func call(
        service: String, method: String, payload: [UInt8], metadata: [RPCMetadata] = [], timeout: Duration? = nil
    ) async throws -> [UInt8] {
        let request = RPCRequest(
            service: service, method: method, payload: payload, timeoutNanoseconds: timeout?.wholeNanoseconds ?? 0,
            metadata: metadata)
        guard let timeout else { return try await send(request) }
        return try await withDeadline(timeout, "\(service)/\(method)") { [self] in try await send(request) }
    }

    private func send(_ request: RPCRequest) async throws -> [UInt8] {
        let callID = Mutex<UInt32?>(nil)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                do {
                    let id = try open(request, flags: [], .unary(continuation))
                    callID.withLock { $0 = id }
                    if Task.isCancelled { cancel(id) }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        } onCancel: {
            if let id = callID.withLock({ $0 }) { cancel(id) }
        }
    }

    /// Registers a call and sends its request frame; ids rise in the order in which requests go out.
    func open(_ request: RPCRequest, flags: FrameFlags, _ pending: Pending) throws(RPCStatus) -> UInt32 {
        let payload = request.encoded()
        return try state.withLock { (state) throws(RPCStatus) -> UInt32 in
            guard !state.isClosed else { throw RPCStatus(.unavailable, "connection closed") }
            let id = state.nextID
            try connection.enqueue(Frame(streamID: id, type: .request, flags: flags, payload: payload))
            state.nextID += 2
            state.pending[id] = pending
            return id
        }
    }

    /// Gives up a call; the peer's late answer is ignored.
    func cancel(_ id: UInt32) {
        guard let pending = take(id) else { return }
        if case .stream = pending {
            sendEnd(id)
        } else if tellsCancellation {
            sendEnd(id)
        }
        pending.finish(throwing: RPCStatus(.cancelled, "call cancelled"))
    }

    func sendEnd(_ id: UInt32) {
        try? connection.enqueue(Frame(streamID: id, type: .data, flags: [.remoteClosed, .noData], payload: []))
    }

    private func take(_ id: UInt32) -> Pending? { state.withLock { $0.pending.removeValue(forKey: id) } }

    private func connectionEnded() {
        let (pending, callbacks) = state.withLock { state in
            state.isClosed = true
            defer { (state.pending, state.onClose) = ([:], []) }
            return (state.pending, state.onClose)
        }
        for call in pending.values { call.finish(throwing: RPCStatus(.unavailable, "connection closed by peer")) }
        for callback in callbacks { callback() }
    }
}

extension TTRPCClient {
    private func receive(_ output: FrameDecoder.Output) {
        switch output {
        case .oversized(let id, let length):
            let failure = RPCStatus(.resourceExhausted, "answer of \(length) bytes is longer than a frame may be")
            take(id)?.finish(throwing: failure)
        case .frame(let frame) where frame.type == .response:
            finish(frame)
        case .frame(let frame) where frame.type == .data:
            deliver(frame)
        case .frame:
            break  // a request: servers do not call clients
        }
    }

    private func finish(_ frame: Frame) {
        guard let pending = take(frame.streamID) else { return }
        guard let response = try? RPCResponse(decoding: frame.payload) else {
            return pending.finish(throwing: RPCStatus(.internal, "malformed answer"))
        }
        if let failure = response.failure { return pending.finish(throwing: failure) }
        switch pending {
        case .unary(let continuation): continuation.resume(returning: response.payload)
        case .stream(let continuation):
            if !response.payload.isEmpty { continuation.yield(response.payload) }
            continuation.finish()
        }
    }

    private func deliver(_ frame: Frame) {
        let isLast = frame.flags.contains(.remoteClosed)
        let pending = isLast ? take(frame.streamID) : state.withLock { $0.pending[frame.streamID] }
        guard case .stream(let continuation) = pending else {
            pending?.finish(throwing: RPCStatus(.internal, "stream data in answer to a unary call"))
            return
        }
        if !frame.flags.contains(.noData) { continuation.yield(frame.payload) }
        if isLast { continuation.finish() }
    }
}

extension TTRPCClient.Pending {
    func finish(throwing error: any Error) {
        switch self {
        case .unary(let continuation): continuation.resume(throwing: error)
        case .stream(let continuation): continuation.finish(throwing: error)
        }
    }
}

extension Duration {
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : nanoseconds + attoseconds / 1_000_000_000
    }
}

/// Decodes a message, turning failure into an `RPCFailure`.
package func decodeMessage<M: Message>(_ bytes: [UInt8]) throws -> M {
    do { return try M(serializedBytes: bytes) } catch {
        throw RPCStatus(.invalidArgument, "malformed \(M.protoMessageName): \(error)")
    }
}

/// Runs `body`, cancelling it after `timeout`.
private func withDeadline(
    _ timeout: Duration, _ what: String, _ body: @escaping @Sendable () async throws -> [UInt8]
) async throws -> [UInt8] {
    if let bytes = try await outcome(within: timeout, of: body) { return bytes }
    try Task.checkCancellation()
    throw RPCStatus(.deadlineExceeded, "\(what): no answer within \(timeout)")
}
