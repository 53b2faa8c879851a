// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// What an attach client asks for in its first byte.
struct AttachFlags: OptionSet, Sendable, Equatable {
    let rawValue: UInt8

    static let stdin = AttachFlags(rawValue: 1)
    static let stdout = AttachFlags(rawValue: 2)
    static let stderr = AttachFlags(rawValue: 4)
    /// When this client sends no more, the container's stdin is closed.
    static let closesStdin = AttachFlags(rawValue: 8)
}

/// One connection of the attach socket.
///
///     client ─▶ shim   one byte of `AttachFlags`, then raw bytes for stdin
///     shim ─▶ client   `A` once registered, then frames: stream, 0, 0, 0, length (32 bits, big-endian), payload
///
/// Output waits in a queue of its own, so that no client blocks another; `AttachServer` decides what happens when it
/// grows too long. The client and the server hold each other until `close`.
final class AttachClient {
    private let loop: EventLoop
    private let server: AttachServer
    private let socket: OwnedFD
    private var token: EventLoop.Token?
    private var flags: AttachFlags?
    private var output = ByteQueue()
    private var readsInput = true
    private var inputEnded = false
    private var outputEnded = false
    private var hungUp = false
    private var finishing = false
    /// Runs while the queue is too long; the server's to use.
    var patience: EventLoop.Token?

    var queued: Int { output.count }

    init(_ socket: consuming OwnedFD, loop: EventLoop, server: AttachServer) throws(SysError) {
        self.loop = loop
        self.server = server
        self.socket = socket
        let number = self.socket.raw
        token = try loop.watch(number, .readable, delaysStop: true) { [self] ready in handle(ready) }
    }

    /// Queues one frame, if the client wants this stream.
    func send(_ stream: UInt8, _ payload: ArraySlice<UInt8>) {
        guard let flags, token != nil, !finishing, !outputEnded, flags.contains(stream == 2 ? .stderr : .stdout) else {
            return
        }
        let length = UInt32(payload.count)
        let head: [UInt8] = [
            stream, 0, 0, 0, UInt8(length >> 24), UInt8(truncatingIfNeeded: length >> 16),
            UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length),
        ]
        didSend(output.send(head, payload, to: socket))
    }

    /// Closes the connection as soon as everything queued is sent.
    func finish() {
        finishing = true
        flush()
    }

    /// Stops or goes on reading stdin.
    func setReadsInput(_ reads: Bool) {
        readsInput = reads
        updateInterest()
    }

    func close() {
        guard let token else { return }
        self.token = nil
        loop.unwatch(token)
        if let patience { loop.cancel(patience) }
        server.remove(self)
    }

    private func handle(_ ready: Readiness) {
        if ready.contains(.hungUp) { hungUp = true }
        if ready.contains(.readable) || hungUp { receive() }
        if token != nil, ready.contains(.writable) { flush() }
    }

    private func receive() {
        if inputEnded { return close() }  // woken although nothing is read any more: the client is gone
        guard readsInput || flags == nil else { return updateInterest() }
        var buffer = [UInt8](repeating: 0, count: flags == nil ? 1 : 16384)
        switch readNonBlocking(socket, into: &buffer) {
        case .wouldBlock: return
        case .ended: endInput()
        case .bytes(let count): take(buffer[..<count])
        }
    }

    private func take(_ bytes: ArraySlice<UInt8>) {
        if let flags {
            if flags.contains(.stdin) { server.didReceiveInput(bytes) }
        } else if let first = bytes.first {
            flags = AttachFlags(rawValue: first)
            output.append([UInt8(ascii: "A")])
            server.didRegister(self)
            flush()
        }
    }

    /// The client sends no more; it may still read, unless it is gone altogether.
    private func endInput() {
        inputEnded = true
        if let flags, flags.contains([.stdin, .closesStdin]) { server.didEndInput() }
        if hungUp || outputEnded || flags == nil { close() } else { updateInterest() }
    }

    private func flush() {
        guard token != nil else { return }
        didSend(output.flush(to: socket))
    }

    private func didSend(_ transfer: Transfer) {
        if transfer == .ended {
            outputEnded = true
            if inputEnded { return close() }  // else what it sent before it went is still read
        }
        if output.isEmpty && finishing { return close() }
        updateInterest()
        server.didDrain(self)
    }

    private func updateInterest() {
        guard let token else { return }
        var interest: Readiness = []
        if (readsInput || flags == nil) && !inputEnded { interest.insert(.readable) }
        if !output.isEmpty { interest.insert(.writable) }
        // An empty interest takes the socket out of epoll, which is right only for a client known to be gone: of the
        // others the going is to be noticed.
        if interest.isEmpty && !hungUp { interest.insert(.failed) }
        loop.setInterest(token, interest)
    }
}
