// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// Copies a process's output to the log, the attach clients and the client's FIFOs, and knows when all of it is there.
final class OutputRelay {
    /// How long an output may stay open and silent after its process has ended: a grandchild may hold it for ever.
    static let silenceMilliseconds: Int64 = 100
    /// How long a client may take to read on: for its FIFO's backlog, the exit waits so long, and then the deletion.
    static let patienceMilliseconds: Int64 = 10_000
    /// How long the exit waits for a client that has not opened its FIFO yet.
    static let lateReaderMilliseconds: Int64 = 2000

    private let loop: EventLoop
    private var readers: [OutputReader] = []
    private var buffer = [UInt8](repeating: 0, count: 65536)
    private var log: LogFile?
    private var attach: AttachServer?
    /// For streams 1 and 2.
    private var files: [FileOutput?] = [nil, nil]
    private var began = false
    private var onDrained: (() -> Void)?
    private var silence: EventLoop.Token?
    /// Until when a backlog in a FIFO holds up the exit.
    private var backlogDeadline: Int64 = 0

    init(loop: EventLoop, log: LogFile?, attach: AttachServer?, stdout: FileOutput?, stderr: FileOutput?) {
        self.loop = loop
        self.log = log
        self.attach = attach
        files = [stdout, stderr]
        attach?.onRelief = { [self] in updatePause() }
        for file in files { file?.onRelief = { [self] in updatePause() } }
    }

    /// Takes `file`, the shim's end of stream 1 or 2.
    func add(_ file: Descriptor, stream: UInt8) throws(SysError) {
        let reader = try OutputReader(file, stream: stream, loop: loop)
        reader.onReadable = { [self] in copy(from: $0) }
        readers.append(reader)
    }

    /// Begins to copy. What the runtime itself has written before is part of it, so this is not called if it failed: its
    /// words are no output of the container.
    func begin() {
        began = true
        updatePause()
    }

    /// The process has ended. Calls `drained` when its output is at the end too, or has been silent long enough.
    func processDidEnd(_ drained: @escaping () -> Void) {
        onDrained = drained
        backlogDeadline = deadline(in: Self.patienceMilliseconds)
        restartSilence()
        checkDrained()
    }

    /// Gives everything up, but first waits a while for clients to empty their FIFOs.
    func close(_ done: @escaping () -> Void) {
        for reader in readers { reader.close() }
        readers = []
        guard hasBacklog else { return closeOutputs(done) }
        let timer = loop.after(milliseconds: Self.patienceMilliseconds) { [self] in closeOutputs(done) }
        for file in files {
            file?.onRelief = { [self] in
                guard !hasBacklog else { return }
                loop.cancel(timer)
                closeOutputs(done)
            }
        }
    }

    private var hasBacklog: Bool { files.contains { $0?.hasBacklog ?? false } }

    private func closeOutputs(_ done: () -> Void) {
        attach?.close()
        attach = nil
        for file in files { file?.close() }
        files = [nil, nil]
        log = nil
        done()
    }

    private func copy(from reader: OutputReader) {
        guard case .bytes(let count) = reader.read(into: &buffer) else { return checkDrained() }
        let bytes = buffer[..<count]
        log?.append(reader.stream, bytes)
        attach?.broadcast(reader.stream, bytes)
        files[reader.stream == 2 ? 1 : 0]?.write(bytes)
        updatePause()
        if onDrained != nil {
            backlogDeadline = deadline(in: Self.patienceMilliseconds)
            restartSilence()
        }
    }

    /// A reader waits while what it reads has nowhere to go.
    private func updatePause() {
        let congested = attach?.isCongested ?? false
        for reader in readers {
            let blocked = files[reader.stream == 2 ? 1 : 0]?.hasBacklog ?? false
            reader.setPaused(!began || congested || blocked)
        }
    }

    private func restartSilence() {
        if let silence { loop.cancel(silence) }
        silence = loop.after(milliseconds: Self.silenceMilliseconds) { [self] in
            silence = nil
            if isHeldUp { restartSilence() } else { drained() }
        }
    }

    /// Not silent, but not being read either: a slow attach client is dropped in the end, a FIFO's reader may be gone.
    private var isHeldUp: Bool {
        attach?.isCongested ?? false || (hasBacklog && monotonicNanoseconds() < backlogDeadline)
    }

    private func checkDrained() {
        if readers.allSatisfy({ $0.isAtEnd }) { drained() }
    }

    private func drained() {
        guard let report = onDrained else { return }
        onDrained = nil
        if let silence { loop.cancel(silence) }
        silence = nil
        log?.finish()
        attach?.finish()
        closeFiles(until: deadline(in: Self.lateReaderMilliseconds), report)
    }

    private func closeFiles(until deadline: Int64, _ done: @escaping () -> Void) {
        let unread = files.filter { file in !(file?.closeWhenRead() ?? true) }
        if unread.isEmpty || monotonicNanoseconds() >= deadline {
            for file in unread { file?.close() }
            return done()
        }
        loop.after(milliseconds: 10) { [self] in closeFiles(until: deadline, done) }
    }

    private func deadline(in milliseconds: Int64) -> Int64 { monotonicNanoseconds() + milliseconds * 1_000_000 }
}
