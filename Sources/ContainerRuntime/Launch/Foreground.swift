// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// Stands in for a process that the user started: hands it signals, and gives its exit code.
struct Foreground: ~Copyable {
    let pid: Int32
    let signals: SignalDescriptor
    let readiness: Readiness?

    init(_ child: consuming LaunchedContainer, signals: consuming SignalDescriptor) {
        pid = child.pid
        readiness = child.readiness
        self.signals = signals
    }

    /// Without a terminal: waits for the end.
    borrowing func wait() throws(RuntimeError) -> CInt {
        while true {
            if let code = try handleSignals(terminal: nil) { return code }
            try step("") { () throws(SysError) in
                if try waitReadable([signals.raw, readinessNumber]).contains(1) { passReadinessOn() }
            }
        }
    }

    /// With a terminal: copies between it and ours, which is raw meanwhile, until the process has ended and its output
    /// is through.
    borrowing func relay(_ master: borrowing OwnedFD) throws(RuntimeError) -> CInt {
        let restorer = RawTerminal(0, output: isatty(1) == 1)
        copyWindowSize(to: master.raw)
        var code: CInt?
        var inputEnded = false
        while true {
            var entries = (
                pollfd(fd: signals.raw, events: Int16(POLLIN), revents: 0),
                pollfd(fd: master.raw, events: Int16(POLLIN), revents: 0),
                pollfd(fd: inputEnded ? -1 : 0, events: Int16(POLLIN), revents: 0),
                pollfd(fd: readinessNumber, events: Int16(POLLIN), revents: 0)
            )
            let ready = try step("") { () throws(SysError) in
                try sys("poll") {
                    withUnsafeMutablePointer(to: &entries) { pointer in
                        pointer.withMemoryRebound(to: pollfd.self, capacity: 4) { poll($0, 4, code == nil ? -1 : 100) }
                    }
                }
            }
            if entries.0.revents != 0, code == nil { code = try handleSignals(terminal: master.raw) }
            if entries.3.revents != 0 { passReadinessOn() }
            if entries.2.revents != 0, !copy(from: 0, to: master.raw) {
                inputEnded = true
                _ = [UInt8(4)].withUnsafeBytes { write(master.raw, $0.baseAddress, 1) }  // ctrl-d: what a tty's end is
            }
            let outputEnded = entries.1.revents != 0 && !copy(from: master.raw, to: 1)
            if outputEnded || ready == 0, let code {
                restorer.restore()
                return code
            }
            if outputEnded, code == nil {
                let code = try wait()
                restorer.restore()
                return code
            }
        }
    }

    /// -1, which poll(2) passes over, if nobody wants to know.
    private var readinessNumber: CInt {
        switch readiness {
        case .some(let found): found.raw
        case .none: -1
        }
    }

    /// The service manager looks after this process, which stays as long as the container does. One that is gone does
    /// not matter to the container.
    private borrowing func passReadinessOn() { _ = try? readiness?.pass(on: getpid(), waits: false) }

    /// Forwards what came in; the exit code if the process has ended. Other children are adopted ones: reaped only.
    private borrowing func handleSignals(terminal: CInt?) throws(RuntimeError) -> CInt? {
        while let signal = signals.next() {
            switch signal {
            case SIGCHLD:
                while let ended = reapChild() { if ended.pid == pid { return ended.code } }
            case SIGWINCH where terminal != nil: copyWindowSize(to: terminal ?? -1)
            case SIGURG, SIGPIPE: break
            default: _ = kill(pid, signal)
            }
        }
        return nil
    }
}

/// Copies once; false at the end of the source.
private func copy(from source: CInt, to target: CInt) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 32768)
    let count = buffer.withUnsafeMutableBytes { read(source, $0.baseAddress, $0.count) }
    if count < 0 { return Errno.current == .interrupted || Errno.current == .wouldBlock }
    var done = 0
    while done < count {
        let written = buffer[done..<count].withUnsafeBytes { write(target, $0.baseAddress, $0.count) }
        if written < 0, Errno.current != .interrupted { return false }
        done += max(0, written)
    }
    return count > 0
}

private func copyWindowSize(to terminal: CInt) {
    var size = winsize()
    if swrun_ioctl_ptr(0, UInt(TIOCGWINSZ), &size) == 0 { _ = swrun_ioctl_ptr(terminal, UInt(TIOCSWINSZ), &size) }
}

/// Our own terminal, if there is one, without line editing and echo: the container's terminal does those.
private struct RawTerminal {
    private let descriptor: CInt
    private var saved: termios?

    /// With `output` it does not touch output either; who else writes to it still ends lines as always.
    init(_ descriptor: CInt, output: Bool) {
        self.descriptor = descriptor
        var settings = termios()
        guard tcgetattr(descriptor, &settings) == 0 else { return }
        saved = settings
        cfmakeraw(&settings)
        if !output, let before = saved { settings.c_oflag = before.c_oflag }
        _ = tcsetattr(descriptor, TCSANOW, &settings)
    }

    func restore() {
        guard var settings = saved else { return }
        _ = tcsetattr(descriptor, TCSANOW, &settings)
        _ = settings
    }
}
