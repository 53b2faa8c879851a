// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import NIOCore
import Synchronization

/// What a client sends, for a task to read. At most half a MiB is kept; then the client's socket is left alone
/// until something was taken.
///
/// Unlike the stream of an `NIOAsyncChannel`, it survives the cancellation of a task that waits for bytes: after a
/// handler has given up, what the client is still sending can be read and dropped.
final class ByteInlet: Sendable {
    private struct State {
        var buffers: [ByteBuffer] = []
        var count = 0
        var isClosed = false
        var isPaused = false
        var waiter: CheckedContinuation<ByteBuffer?, any Error>?
    }

    private static let limit = 512 << 10

    private let channel: any Channel
    private let state = Mutex(State())

    init(_ channel: any Channel) { self.channel = channel }

    /// The next bytes, or nil when the client has closed its sending side. One reader at a time.
    func next() async throws -> ByteBuffer? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (answer, resumesReading) = state.withLock { Self.take(&$0, continuation) }
                if resumesReading { channel.read() }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(throwing: CancellationError())
        }
    }

    /// An answer for the reader, or nil if it has to wait; and whether to read from the socket again.
    private static func take(
        _ state: inout State, _ continuation: CheckedContinuation<ByteBuffer?, any Error>
    ) -> (Result<ByteBuffer?, any Error>?, Bool) {
        if !state.buffers.isEmpty {
            let buffer = state.buffers.removeFirst()
            state.count -= buffer.readableBytes
            let resumesReading = state.isPaused && state.count < limit
            if resumesReading { state.isPaused = false }
            return (.success(buffer), resumesReading)
        }
        if state.isClosed { return (.success(nil), false) }
        if Task.isCancelled { return (.failure(CancellationError()), false) }
        precondition(state.waiter == nil, "two tasks read from one connection")
        state.waiter = continuation
        return (nil, false)
    }

    // MARK: From the event loop

    func receive(_ buffer: ByteBuffer) {
        let waiter = state.withLock { state in
            guard let waiter = state.waiter else {
                state.buffers.append(buffer)
                state.count += buffer.readableBytes
                return nil as CheckedContinuation<ByteBuffer?, any Error>?
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume(returning: buffer)
    }

    /// Whether to go on reading from the socket at once.
    func hasRoom() -> Bool {
        state.withLock { state in
            state.isPaused = state.count >= Self.limit
            return !state.isPaused
        }
    }

    func close() {
        let waiter = state.withLock { state in
            state.isClosed = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }
}

/// What we send. A write returns when the kernel has taken all of it, so a client that does not read holds up the task
/// that writes.
struct ByteOutlet: Sendable {
    let channel: any Channel
    let socket: ClientSocket?

    func write(_ buffer: ByteBuffer) async throws {
        guard let socket else { return try await channel.writeAndFlush(buffer) }
        guard let rest = try socket.send(buffer, orLeaveTo: channel) else { return }
        defer { socket.leftIsDone() }
        try await rest.get()
    }

    func write(_ text: String) async throws { try await write(ByteBuffer(string: text)) }

    /// For one of many writes: lets others have the thread, too, which a client that reads fast would never do.
    func writePart(_ buffer: ByteBuffer) async throws {
        try await write(buffer)
        await Task.yield()
    }

    /// Closes our sending side; the client may go on sending.
    func finish() async { try? await channel.close(mode: .output) }
}

/// Feeds a connection's inlet and signals from the channel's events.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let inlet: ByteInlet
    private let socket: ClientSocket?
    private let closing: ClosingSignal
    private let gone: ClosingSignal

    init(_ inlet: ByteInlet, _ socket: ClientSocket?, closing: ClosingSignal, gone: ClosingSignal) {
        self.inlet = inlet
        self.socket = socket
        self.closing = closing
        self.gone = gone
    }

    func channelActive(context: ChannelHandlerContext) { context.read() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { inlet.receive(unwrapInboundIn(data)) }

    func channelReadComplete(context: ChannelHandlerContext) {
        if inlet.hasRoom() { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { return context.close(promise: nil) }
        guard let event = event as? ChannelEvent, event == .inputClosed else { return }
        inlet.close()
        if !isUnixSocket(context.channel) { closing.close() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        socket?.shutDown()  // our own descriptor of it is still open
        inlet.close()
        closing.close()
        gone.close()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
