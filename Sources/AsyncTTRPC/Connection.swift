// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Glibc
package import LinuxSystem
import Synchronization
package import TTRPC
import Threads

/// One ttrpc connection, seen from either side: frames out without blocking the caller, frames in on a thread.
///
/// A frame is first offered to the kernel at once; only when the socket's buffer is full is it queued, and a thread
/// writes the rest, which stays a moment for what comes next. So the order of `enqueue` calls is the order on the wire.
package final class Connection: Sendable {
    private struct Outgoing {
        var queue: [[UInt8]] = []
        var queuedBytes = 0
        /// There is a thread that writes the queue.
        var isDraining = false
        /// That thread waits for something to write.
        var isIdle = false
        var isBroken = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// Senders that can wait do so while more than this is queued.
    private static let highWater = 1 << 20
    /// How long the writing thread waits for more: starting one takes longer than writing most frames.
    private static let linger = DispatchTimeInterval.milliseconds(100)

    private let socket: OwnedFD
    private let outgoing = Mutex(Outgoing())
    private let queued = DispatchSemaphore(value: 0)

    package init(_ socket: consuming OwnedFD) {
        // A limit and no memory. Only root may go over the system's, so a failure is none.
        var size = CInt(Self.highWater)
        _ = setsockopt(socket.raw, SOL_SOCKET, SO_SNDBUFFORCE, &size, socklen_t(MemoryLayout<CInt>.size))
        self.socket = socket
    }

    /// Sends a frame or queues it; throws only if it is too long or the connection has failed.
    package func enqueue(_ frame: Frame) throws(RPCStatus) {
        guard let bytes = frame.encoded() else {
            throw RPCStatus(.resourceExhausted, "message of \(frame.payload.count) bytes is longer than a frame may be")
        }
        let accepted = outgoing.withLock { state in
            if state.isBroken { return false }
            var rest = bytes[...]
            if state.queue.isEmpty {
                guard let remaining = writeNow(rest) else { return breakOff(&state) }
                rest = remaining
            }
            if !rest.isEmpty { queue([UInt8](rest), in: &state) }
            return true
        }
        if !accepted { throw RPCStatus(.unavailable, "connection closed") }
    }

    /// Waits until the peer has taken enough of what was queued before.
    package func waitForRoom() async {
        await withCheckedContinuation { continuation in
            let isFull = outgoing.withLock { state in
                guard state.queuedBytes > Self.highWater, !state.isBroken else { return false }
                state.waiters.append(continuation)
                return true
            }
            if !isFull { continuation.resume() }
        }
    }

    /// Starts the thread that reads frames until the peer closes or breaks the protocol, then calls `onEnd` once.
    package func startReading(
        _ onFrame: @escaping @Sendable (FrameDecoder.Output) -> Void, onEnd: @escaping @Sendable () -> Void
    ) {
        detachThread { [self] in
            var decoder = FrameDecoder()
            var room = 16 << 10
            while let bytes = try? readSome(socket, upTo: room), !bytes.isEmpty {
                // An idle connection holds little; one that is busy takes as much as there is.
                room = bytes.count == room ? min(room * 2, 256 << 10) : max(bytes.count, 16 << 10)
                decoder.append(bytes)
                while let output = decoder.next() { onFrame(output) }
            }
            close()
            onEnd()
        }
    }

    /// Ends the connection for both directions; the reading thread notices and calls its `onEnd`.
    package func close() {
        let waiters = outgoing.withLock { state in
            _ = breakOff(&state)
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func breakOff(_ state: inout Outgoing) -> Bool {
        state.isBroken = true
        state.queue = []
        state.queuedBytes = 0
        queued.signal()
        shutdown(socket.raw, CInt(SHUT_RDWR))
        return false
    }

    /// Gives the kernel what it takes without waiting; returns the rest, or nil if the connection has failed.
    private func writeNow(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(socket.raw, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
            }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                return rest
            } else if errno != EINTR {
                return nil
            }
        }
        return rest
    }

    private func queue(_ bytes: [UInt8], in state: inout Outgoing) {
        state.queue.append(bytes)
        state.queuedBytes += bytes.count
        if state.isIdle {
            state.isIdle = false
            queued.signal()
        }
        guard !state.isDraining else { return }
        state.isDraining = true
        detachThread { [self] in drain() }
    }

    private func drain() {
        while let batch = nextBatch() {
            guard writeBlocking(batch) else { return close() }
            let waiters = outgoing.withLock { state -> [CheckedContinuation<Void, Never>] in
                state.queuedBytes -= min(state.queuedBytes, batch.count)
                if !state.queue.isEmpty { state.queue.removeFirst() }
                guard state.queuedBytes <= Self.highWater else { return [] }
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume() }
        }
    }

    /// The first queued piece, waited for; nil if none has come. It stays queued while it is written, so that nobody else
    /// writes in between.
    private func nextBatch() -> [UInt8]? {
        if let batch = outgoing.withLock({ state in
            state.isIdle = state.queue.isEmpty
            return state.queue.first
        }) {
            return batch
        }
        _ = queued.wait(timeout: .now() + Self.linger)
        return outgoing.withLock { state in
            state.isIdle = false
            state.isDraining = !state.queue.isEmpty
            return state.queue.first
        }
    }

    private func writeBlocking(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(socket.raw, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            if count >= 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return false }
        }
        return true
    }
}
