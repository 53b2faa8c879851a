// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// A FIFO of the client's that a process's stdin comes from.
///
/// Once the process is started, the shim keeps the FIFO open for writing too, so that a client may go and another come,
/// until CloseIO says that the next end is the last one. A client that has gone before that (as `ctr` does when its own
/// stdin is short) cannot come back to say so: then its end is the end.
final class InputFIFO {
    private let loop: EventLoop
    private let path: FilePath
    private let fifo: OwnedFD
    private var keeper: Descriptor?
    private var token: EventLoop.Token?
    private let writer: InputWriter
    private var closing = false

    init(path: FilePath, writer: InputWriter, loop: EventLoop) throws(SysError) {
        self.loop = loop
        self.writer = writer
        self.path = path
        fifo = try LinuxSystem.open(path, O_RDONLY | O_NONBLOCK)
        let number = fifo.raw
        token = try loop.watch(number, .readable) { [self] _ in receive() }
        writer.onRelief = { [self] in resume() }
    }

    /// The process begins to run.
    func processWillStart() {
        guard token != nil, !closing, !isHungUp(fifo), let end = try? LinuxSystem.open(path, O_WRONLY | O_NONBLOCK)
        else { return }
        keeper = Descriptor(end)
    }

    /// From now on the end of the last writer is the end of stdin.
    func closeWhenDrained() {
        closing = true
        keeper = nil
    }

    func close() {
        if let token { loop.unwatch(token) }
        token = nil
        keeper = nil
        writer.onRelief = nil
    }

    private func receive() {
        var buffer = [UInt8](repeating: 0, count: 16384)
        switch readNonBlocking(fifo, into: &buffer) {
        case .wouldBlock: return
        case .ended:
            close()
            writer.closeWhenDrained()
        case .bytes(let count):
            writer.write(buffer[..<count])
            if writer.isFull, let token { loop.setInterest(token, []) }
        }
    }

    private func resume() {
        if let token { loop.setInterest(token, .readable) }
    }
}
