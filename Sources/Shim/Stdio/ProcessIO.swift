// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import ShimAPI
import TTRPC

/// The streams of one process: what the client named, the ends that the process gets, and the copying between them.
final class ProcessIO {
    let names: StdioNames
    private let loop: EventLoop
    private var relay: OutputRelay?
    private var attach: AttachServer?
    private var input: InputWriter?
    private var fifo: InputFIFO?
    private var terminal: Descriptor?
    /// The process's own ends of stdin, stdout and stderr, until it has them.
    private var childInput: Descriptor?
    private var childOutput: Descriptor?
    private var childError: Descriptor?

    init(_ names: StdioNames, loop: EventLoop) {
        self.names = names
        self.loop = loop
    }

    /// Opens everything that the names mean. The pipes belong to `owner`, so that the process can open them again
    /// through /proc/self/fd. A failure leaves nothing open.
    func open(owner: (uid: UInt32, gid: UInt32)) throws(RPCStatus) {
        do throws(RPCStatus) {
            try openOutputs()
            if !names.terminal { try openPipes(owner) }
        } catch {
            close {}
            throw error
        }
    }

    /// Starts the process with its ends of the streams, which are then closed here.
    func withChildEnds<R>(
        _ start: (CInt, CInt, CInt) throws(SysError) -> R
    ) throws(SysError) -> R {
        let null = try LinuxSystem.open(FilePath("/dev/null"), O_RDWR)
        defer { closeChildEnds() }
        return try start(
            childInput?.raw ?? null.raw, childOutput?.raw ?? null.raw, childError?.raw ?? null.raw)
    }

    /// Takes the master of the process's terminal.
    func connect(terminal master: Descriptor) throws(SysError) {
        try relay?.add(master, stream: 1)
        try connectInput(try InputWriter(try master.duplicate(), isTerminal: true, loop: loop))
        terminal = master
    }

    func resize(columns: UInt16, rows: UInt16) throws(SysError) {
        guard let terminal else { return }
        try setWindowSize(terminal.fd, columns: columns, rows: rows)
    }

    /// The runtime has made the process: from now on output is the process's own.
    func begin() { relay?.begin() }

    /// Start was asked for.
    func processWillStart() { fifo?.processWillStart() }

    /// The client sends no more: the process sees the end of stdin when it has read what there is.
    func closeStdin() {
        if let fifo { fifo.closeWhenDrained() } else { input?.closeWhenDrained() }
    }

    /// The process has ended; calls `drained` when its output is at its end as well, or has been silent for a while.
    func processDidEnd(_ drained: @escaping () -> Void) {
        closeInput()
        if let relay { relay.processDidEnd(drained) } else { drained() }
    }

    /// Gives everything up, and calls `done` when clients have what was still on its way to them.
    func close(_ done: @escaping () -> Void) {
        closeInput()
        closeChildEnds()
        terminal = nil
        if let relay { relay.close(done) } else { done() }
        relay = nil
        attach = nil
    }

    // MARK: Opening

    private func openOutputs() throws(RPCStatus) {
        let stdout = try target(names.stdout)
        var log: LogFile?
        if case .managed(let managed) = stdout {
            do throws(SysError) {
                if let path = managed.attachPath { attach = try AttachServer(path: FilePath(path), loop: loop) }
                if let settings = managed.log { log = try LogFile(settings) }
            } catch {
                attach?.close()
                throw RPCStatus(error)
            }
        }
        let stderr = names.terminal || attach != nil || log != nil ? .none : try target(names.stderr)
        relay = OutputRelay(
            loop: loop, log: log, attach: attach, stdout: try file(stdout), stderr: try file(stderr))
        if names.stdin == "attach:" { attach?.setReadsInput(false) }  // until there is something to write it to
    }

    private func openPipes(_ owner: (uid: UInt32, gid: UInt32)) throws(RPCStatus) {
        do throws(SysError) {
            if !names.stdin.utf8.isEmpty {
                let pipe = try Descriptor.pipe()
                childInput = pipe.read
                try connectInput(try InputWriter(pipe.write, isTerminal: false, loop: loop))
            }
            if hasOutput(names.stdout) { childOutput = try outputPipe(stream: 1) }
            if hasOutput(names.stderr) || isManaged { childError = try outputPipe(stream: 2) }
        } catch {
            throw RPCStatus(error)
        }
        changeOwner(owner)
    }

    private var isManaged: Bool {
        guard case .managed = try? OutputTarget(parsing: names.stdout) else { return false }
        return true
    }

    private func hasOutput(_ name: String) -> Bool { !name.utf8.isEmpty }

    private func outputPipe(stream: UInt8) throws(SysError) -> Descriptor {
        let pipe = try Descriptor.pipe()
        try relay?.add(pipe.read, stream: stream)
        return pipe.write
    }

    private func connectInput(_ writer: InputWriter) throws(SysError) {
        input = writer
        guard names.stdin == "attach:" else {
            guard !names.stdin.utf8.isEmpty else { return }
            fifo = try InputFIFO(path: FilePath(names.stdin), writer: writer, loop: loop)
            return
        }
        guard let attach else { return }
        attach.onInput = { bytes in
            writer.write(bytes)
            if writer.isFull { attach.setReadsInput(false) }
        }
        attach.onInputEnd = { writer.closeWhenDrained() }
        writer.onRelief = { if !writer.isFull { attach.setReadsInput(true) } }
        attach.setReadsInput(true)
    }

    private func file(_ target: OutputTarget) throws(RPCStatus) -> FileOutput? {
        do throws(SysError) {
            switch target {
            case .path(let path): return try FileOutput(path: FilePath(path), create: false, loop: loop)
            case .file(let path): return try FileOutput(path: FilePath(path), create: true, loop: loop)
            case .none, .managed: return nil
            }
        } catch {
            throw RPCStatus(error)
        }
    }

    private func target(_ name: String) throws(RPCStatus) -> OutputTarget {
        do throws(OutputTarget.InvalidTarget) { return try OutputTarget(parsing: name) } catch {
            throw RPCStatus(error.isUnsupported ? .unimplemented : .invalidArgument, error.message)
        }
    }

    // MARK: Closing

    private func closeInput() {
        fifo?.close()
        fifo = nil
        input?.close()
        input = nil
        attach?.onInput = nil
        attach?.onInputEnd = nil
        attach?.setReadsInput(true)  // and throw it away
    }

    private func closeChildEnds() {
        childInput = nil
        childOutput = nil
        childError = nil
    }

    private func changeOwner(_ owner: (uid: UInt32, gid: UInt32)) {
        guard owner.uid != 0 || owner.gid != 0 else { return }
        for case let end? in [childInput, childOutput, childError] { _ = fchown(end.raw, owner.uid, owner.gid) }
    }
}

extension RPCStatus {
    /// A failed system call, for the caller to read.
    init(_ error: SysError) {
        self.init(error.errno == .noSuchFile ? .notFound : .unknown, error.description)
    }
}
