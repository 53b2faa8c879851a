// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import ShimAPI
import TTRPC

/// Sends task events to the supervisor, in order and at least once while it is there.
///
/// A supervisor that is away for long misses events: it asks every shim for its state when it comes back.
final class EventPublisher {
    private static let maximumQueue = 256
    private static let retryMilliseconds: Int64 = 250
    private static let maximumAttempts = 240

    private let loop: EventLoop
    private let address: FilePath?
    private let namespace: String
    /// Encoded requests that the supervisor has not acknowledged. One at a time is on its way: a server may work on
    /// the requests of one connection in any order.
    private var queue: [[UInt8]] = []
    private var isWaiting = false
    private var nextStream: UInt32 = 1
    private var attempts = 0
    private var retryTimer: EventLoop.Token?
    private var socket: Descriptor?
    private var token: EventLoop.Token?
    private var output = ByteQueue()
    private var decoder = FrameDecoder()
    private var onIdle: (() -> Void)?

    /// Without an address events go nowhere.
    init(address: String?, namespace: String, loop: EventLoop) {
        self.loop = loop
        self.namespace = namespace
        self.address = address.map { FilePath($0.utf8.starts(with: "unix://".utf8) ? String($0.dropFirst(7)) : $0) }
    }

    func publish(_ event: TaskEvent) {
        guard address != nil else { return }
        let forward = ForwardRequest(time: .now, namespace: namespace, event: event)
        let request = RPCRequest(
            service: ForwardRequest.service, method: ForwardRequest.method, payload: forward.encoded(),
            metadata: [RPCMetadata("containerd-namespace-ttrpc", namespace)])
        if queue.count == Self.maximumQueue { queue.remove(at: isWaiting ? 1 : 0) }
        queue.append(request.encoded())
        pump()
    }

    /// Calls `done` when everything is acknowledged, at the latest after a second.
    func whenIdle(_ done: @escaping () -> Void) {
        guard !queue.isEmpty else { return done() }
        onIdle = done
        loop.after(milliseconds: 1000) { [self] in reportIdle() }
    }

    private func reportIdle() {
        let done = onIdle
        onIdle = nil
        done?()
    }

    private func pump() {
        guard retryTimer == nil, !isWaiting, let next = queue.first else { return }
        if token == nil && !connect() { return retryLater() }
        output.append(Frame(streamID: nextStream, type: .request, payload: next).encoded() ?? [])
        nextStream += 2
        isWaiting = true
        flush()
    }

    private func connect() -> Bool {
        guard let address, let socket = try? UnixSocket.connect(address) else { return false }
        guard (try? socket.setNonBlocking()) != nil else { return false }
        let number = socket.raw
        token = try? loop.watch(number, .readable) { [self] ready in
            if ready.contains(.writable) { flush() }
            if !ready.isDisjoint(with: [.readable, .hungUp, .failed]) { receive() }
        }
        self.socket = Descriptor(socket)
        nextStream = 1
        return token != nil
    }

    /// The connection is lost: what was not acknowledged is sent again on the next one.
    private func disconnect() {
        if let token { loop.unwatch(token) }
        token = nil
        socket = nil
        isWaiting = false
        output.removeAll()
        decoder = FrameDecoder()
        if !queue.isEmpty { retryLater() }
    }

    private func retryLater() {
        attempts += 1
        if attempts > Self.maximumAttempts {
            queue = []
            attempts = 0
            return reportIdle()
        }
        retryTimer = loop.after(milliseconds: Self.retryMilliseconds) { [self] in
            retryTimer = nil
            pump()
        }
    }

    private func receive() {
        guard let socket else { return }
        var buffer = [UInt8](repeating: 0, count: 4096)
        switch readNonBlocking(socket.fd, into: &buffer) {
        case .wouldBlock: return
        case .ended: return disconnect()
        case .bytes(let count): decoder.append(buffer[..<count])
        }
        while let output = decoder.next() {
            guard case .frame(let frame) = output, frame.type == .response, isWaiting else { continue }
            queue.removeFirst()  // an error answer would not become better by repetition
            isWaiting = false
            attempts = 0
        }
        if queue.isEmpty { reportIdle() } else { pump() }
    }

    private func flush() {
        guard let token, let socket else { return }
        switch output.flush(to: socket.fd) {
        case .ended: disconnect()
        case .wouldBlock: loop.setInterest(token, [.readable, .writable])
        case .bytes: loop.setInterest(token, .readable)
        }
    }
}
