// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Synchronization
import TTRPC

/// One client of a `TTRPCServer` and its running calls.
final class ServerConnection: Sendable {
    private struct Call {
        var task: Task<Void, Never>?
        /// Where the client's stream data goes; nil for a unary call or after the client's half-close.
        var input: AsyncThrowingStream<[UInt8], any Error>.Continuation?
    }

    private let connection: Connection
    private let handlers: RPCHandlerTable
    private let calls = Mutex<[UInt32: Call]>([:])

    init(_ socket: consuming OwnedFD, handlers: RPCHandlerTable) {
        connection = Connection(socket)
        self.handlers = handlers
    }

    func start(onEnd: @escaping @Sendable () -> Void) {
        connection.startReading { [weak self] in
            self?.receive($0)
        } onEnd: { [weak self] in
            self?.cancelAll()
            onEnd()
        }
    }

    func close() { connection.close() }

    private func receive(_ output: FrameDecoder.Output) {
        switch output {
        case .oversized(let id, let length):
            fail(id, RPCStatus(.resourceExhausted, "message of \(length) bytes is longer than a frame may be"))
        case .frame(let frame) where frame.type == .request: open(frame)
        case .frame(let frame) where frame.type == .data: deliver(frame)
        case .frame: break
        }
    }

    private func open(_ frame: Frame) {
        let request: RPCRequest
        do throws(ProtobufError) { request = try RPCRequest(decoding: frame.payload) } catch {
            return fail(frame.streamID, RPCStatus(.invalidArgument, "malformed request: \(error.description)"))
        }
        guard let handler = handlers.handler(request) else {
            let name = "\(request.service)/\(request.method)"
            return fail(frame.streamID, RPCStatus(.unimplemented, "no such method: \(name)"))
        }
        let context = RPCContext(service: request.service, method: request.method, metadata: request.metadata)
        switch handler {
        case .unary(let body):
            run(frame.streamID, input: nil) { connection, id in
                let response = RPCResponse(payload: try await body(request.payload, context))
                try connection.enqueue(Frame(streamID: id, type: .response, payload: response.encoded()))
            }
        case .stream(let body):
            openStream(frame, request, context, body)
        }
    }

    private func openStream(
        _ frame: Frame, _ request: RPCRequest, _ context: RPCContext,
        _ body: @escaping @Sendable (RPCServerStream, RPCContext) async throws -> Void
    ) {
        let (messages, input) = AsyncThrowingStream<[UInt8], any Error>.makeStream()
        let isOpen = frame.flags.contains(.remoteOpen)
        if !isOpen {
            input.yield(request.payload)
            input.finish()
        }
        run(frame.streamID, input: isOpen ? input : nil) { connection, id in
            let stream = RPCServerStream(messages: messages) { payload in
                await connection.waitForRoom()
                try connection.enqueue(Frame(streamID: id, type: .data, payload: payload))
            }
            try await body(stream, context)
            try connection.enqueue(
                Frame(streamID: id, type: .data, flags: [.remoteClosed, .noData], payload: []))
        }
    }

    /// Runs a handler as a task that this connection owns: it ends by itself or is cancelled with the connection.
    private func run(
        _ id: UInt32, input: AsyncThrowingStream<[UInt8], any Error>.Continuation?,
        _ body: @escaping @Sendable (Connection, UInt32) async throws -> Void
    ) {
        calls.withLock { $0[id] = Call(task: nil, input: input) }
        let task = Task { [weak self, connection] in
            do { try await body(connection, id) } catch { self?.fail(id, RPCStatus(describing: error)) }
            self?.calls.withLock { $0[id] = nil }
        }
        calls.withLock { $0[id]?.task = task }
    }

    /// Stream data from the client. A second end of input, or one for a unary call, means that it gave the call up.
    private func deliver(_ frame: Frame) {
        let isEnd = frame.flags.contains(.remoteClosed)
        let call = calls.withLock { calls in
            defer { if isEnd { calls[frame.streamID]?.input = nil } }
            return calls[frame.streamID]
        }
        guard let call else { return }
        guard let input = call.input else {
            if isEnd { call.task?.cancel() }
            return
        }
        if !frame.flags.contains(.noData) { input.yield(frame.payload) }
        if isEnd { input.finish() }
    }

    private func fail(_ id: UInt32, _ status: RPCStatus) {
        let response = RPCResponse(failure: status)
        try? connection.enqueue(Frame(streamID: id, type: .response, payload: response.encoded()))
    }

    private func cancelAll() {
        let ended = calls.withLock { calls in
            defer { calls = [:] }
            return Array(calls.values)
        }
        for call in ended {
            call.task?.cancel()
            call.input?.finish(throwing: RPCStatus(.unavailable, "connection closed by peer"))
        }
    }
}
