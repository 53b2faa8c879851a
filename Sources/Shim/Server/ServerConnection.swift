// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import TTRPC

/// One client of the shim's socket. Requests are answered in any order, each on its own stream.
final class ServerConnection {
    private let loop: EventLoop
    private let socket: OwnedFD
    private var token: EventLoop.Token?
    private var decoder = FrameDecoder()
    private var output = ByteQueue()
    private let handle: (RPCRequest, Responder) -> Void
    private let onClose: (ServerConnection) -> Void

    var isClosed: Bool { token == nil }

    init(
        _ socket: consuming OwnedFD, loop: EventLoop, handle: @escaping (RPCRequest, Responder) -> Void,
        onClose: @escaping (ServerConnection) -> Void
    ) throws(SysError) {
        self.loop = loop
        self.socket = socket
        self.handle = handle
        self.onClose = onClose
        let number = self.socket.raw
        token = try loop.watch(number, .readable) { [self] ready in
            if ready.contains(.writable) { flush() }
            if !ready.isDisjoint(with: [.readable, .hungUp, .failed]) { receive() }
        }
    }

    func send(_ frame: Frame) {
        guard !isClosed, let bytes = frame.encoded() else { return }
        output.append(bytes)
        flush()
    }

    func close() {
        guard let token else { return }
        self.token = nil
        loop.unwatch(token)
        onClose(self)
    }

    private func receive() {
        var buffer = [UInt8](repeating: 0, count: 16384)
        guard !isClosed else { return }
        switch readNonBlocking(socket, into: &buffer) {
        case .wouldBlock: return
        case .ended: return close()
        case .bytes(let count): decoder.append(buffer[..<count])
        }
        while let output = decoder.next() { take(output) }
    }

    private func take(_ output: FrameDecoder.Output) {
        switch output {
        case .oversized(let streamID, let length):
            let message = "message length \(length) exceeds maximum message size of \(Frame.maximumPayload)"
            Responder(self, streamID).fail(RPCStatus(.resourceExhausted, message))
        case .frame(let frame):
            guard frame.type == .request else { return }
            let responder = Responder(self, frame.streamID)
            do throws(ProtobufError) {
                handle(try RPCRequest(decoding: frame.payload), responder)
            } catch {
                responder.fail(RPCStatus(.invalidArgument, "request: " + error.description))
            }
        }
    }

    private func flush() {
        guard let token else { return }
        switch output.flush(to: socket) {
        case .ended: close()
        case .wouldBlock: loop.setInterest(token, [.readable, .writable])
        case .bytes: loop.setInterest(token, .readable)
        }
    }
}

/// The right to answer one request, now or later. An answer to a client that has gone is dropped.
struct Responder {
    private let connection: ServerConnection
    private let streamID: UInt32

    init(_ connection: ServerConnection, _ streamID: UInt32) {
        self.connection = connection
        self.streamID = streamID
    }

    /// The client is still there.
    var isWanted: Bool { !connection.isClosed }

    /// Answers with an encoded message; none is google.protobuf.Empty.
    func reply(_ message: [UInt8] = []) { send(RPCResponse(payload: message)) }

    func fail(_ status: RPCStatus) { send(RPCResponse(failure: status)) }

    private func send(_ response: RPCResponse) {
        connection.send(Frame(streamID: streamID, type: .response, payload: response.encoded()))
    }
}
