// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// The shim's end of a process's stdin: a pipe, or the pty.
final class InputWriter {
    private let loop: EventLoop
    private let isTerminal: Bool
    private var token: EventLoop.Token?
    private var file: Descriptor?
    private var queue = ByteQueue()
    private var closing = false

    /// Called when the queue has room again.
    var onRelief: (() -> Void)?

    /// Sources should wait.
    var isFull: Bool { queue.count > 65536 }

    init(_ file: Descriptor, isTerminal: Bool, loop: EventLoop) throws(SysError) {
        self.loop = loop
        self.isTerminal = isTerminal
        self.file = file
        try file.fd.setNonBlocking()
        token = try loop.watch(file.raw, []) { [self] _ in flush() }
    }

    func write(_ bytes: ArraySlice<UInt8>) {
        guard token != nil, !closing else { return }
        queue.append(bytes)
        flush()
    }

    /// The process sees the end of its stdin once it has read everything. A terminal has no such end: its user types
    /// control-D.
    func closeWhenDrained() {
        guard !isTerminal else { return }
        closing = true
        if queue.isEmpty { close() }
    }

    func close() {
        guard let token else { return }
        self.token = nil
        loop.unwatch(token)
        queue.removeAll()
        file = nil
        onRelief?()  // what else comes is thrown away
        onRelief = nil
    }

    private func flush() {
        guard let token else { return }
        switch flushQueue() {
        case .wouldBlock: return loop.setInterest(token, .writable)
        case .ended: return close()  // nobody reads it any more
        case .bytes: break
        }
        loop.setInterest(token, [])
        if closing { close() } else { onRelief?() }
    }

    private func flushQueue() -> Transfer {
        guard let file else { return .ended }
        return queue.flush(to: file.fd)
    }
}
