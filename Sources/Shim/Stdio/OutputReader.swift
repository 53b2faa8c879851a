// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// The shim's end of one output of a process: a pipe, or the pty. Begins paused.
final class OutputReader {
    let stream: UInt8
    private let loop: EventLoop
    private let file: Descriptor
    private var token: EventLoop.Token?
    private var paused = true

    var onReadable: ((OutputReader) -> Void)?

    /// Nobody can write to it any more and everything is read.
    var isAtEnd: Bool { token == nil }

    init(_ file: Descriptor, stream: UInt8, loop: EventLoop) throws(SysError) {
        self.stream = stream
        self.loop = loop
        self.file = file
        try file.fd.setNonBlocking()
        token = try loop.watch(file.raw, []) { [self] _ in onReadable?(self) }
    }

    func read(into buffer: inout [UInt8]) -> Transfer {
        guard !isAtEnd else { return .ended }
        let transfer = readNonBlocking(file.fd, into: &buffer)
        if transfer == .ended { close() }
        return transfer
    }

    func setPaused(_ paused: Bool) {
        guard let token, paused != self.paused else { return }
        self.paused = paused
        loop.setInterest(token, paused ? [] : .readable)
    }

    func close() {
        if let token { loop.unwatch(token) }
        token = nil
        onReadable = nil
    }
}
