// SPDX-License-Identifier: Apache-2.0
import Glibc
package import LinuxSystem
import Synchronization
package import TTRPC
import Threads

/// One ttrpc connection, seen from either side: frames out without blocking the caller, frames in on a thread.
///
/// A frame is first offered to the kernel at once; only when the socket's buffer is full is it queued, and a thread
/// that lives as long as the queue writes the rest. So the order of `enqueue` calls is the order on the wire.
package final class Connection: Sendable {
    private struct Outgoing {
        var queue: [[UInt8]] = []
        var queuedBytes = 0
        var isDraining = false
        var isBroken = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// Senders that can wait do so while more than this is queued.
    private static let highWater = 1 << 20

    private let socket: OwnedFD
    private let outgoing = Mutex(Outgoing())

    package init(_ socket: consuming OwnedFD) { self.socket = socket }

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
            while let bytes = try? readSome(socket, upTo: 65536), !bytes.isEmpty {
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

    /// The first queued piece. It stays queued while it is written, so that nobody else writes in between.
    private func nextBatch() -> [UInt8]? {
        outgoing.withLock { state in
            if state.queue.isEmpty { state.isDraining = false }
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
