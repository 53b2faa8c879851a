// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// A FIFO or file of the client's that takes one output stream.
///
/// A FIFO is opened for reading as well: that never waits for a reader, and a reader that goes away and comes back does
/// not break the stream. What the reader does not take in time stays in the pipe and holds the process up.
final class FileOutput {
    private let loop: EventLoop
    private var file: Descriptor?
    private var token: EventLoop.Token?
    private var queue = ByteQueue()
    private var closing = false

    /// Called when a backlog is gone.
    var onRelief: (() -> Void)?

    var hasBacklog: Bool { !queue.isEmpty }

    init(path: FilePath, create: Bool, loop: EventLoop) throws(SysError) {
        self.loop = loop
        let mode = (try? status(path))?.st_mode ?? 0
        let isFIFO = mode & 0o170000 == 0o010000
        let flags = isFIFO ? O_RDWR | O_NONBLOCK : O_WRONLY | O_APPEND | (create ? O_CREAT : 0)
        let file = try LinuxSystem.open(path, flags, mode: 0o644)
        let number = file.raw
        self.file = Descriptor(file)
        guard isFIFO else { return }
        token = try loop.watch(number, []) { [self] _ in flush() }
    }

    func write(_ bytes: ArraySlice<UInt8>) {
        guard !closing else { return }
        queue.append(bytes)
        flush()
    }

    /// Takes no more, and closes when the backlog is gone: the FIFO's reader sees the end. False if it is still open
    /// because a FIFO holds bytes and has no reader: they would be gone with its last descriptor, and a client that is
    /// slow to open its end would find nothing.
    func closeWhenRead() -> Bool {
        closing = true
        guard queue.isEmpty else { return true }
        giveUpReadEnd()
        if let file, holdsUnread(file.fd) { return false }
        close()
        return true
    }

    /// Only without an end of our own to read from can others' be seen.
    private func giveUpReadEnd() {
        guard let file, let token, let end = try? LinuxSystem.open(file.fd.procPath, O_WRONLY | O_NONBLOCK) else {
            return
        }
        loop.unwatch(token)
        self.token = nil
        self.file = Descriptor(end)
    }

    func close() {
        if let token { loop.unwatch(token) }
        token = nil
        file = nil
        queue.removeAll()
        closing = true
        onRelief = nil
    }

    private func flush() {
        if flushQueue() == .wouldBlock {
            if let token { loop.setInterest(token, .writable) }
            return
        }
        if let token { loop.setInterest(token, []) }
        onRelief?()
        if closing { close() }
    }

    private func flushQueue() -> Transfer {
        guard let file else { return .ended }
        return queue.flush(to: file.fd)
    }
}
