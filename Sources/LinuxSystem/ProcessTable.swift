// SPDX-License-Identifier: Apache-2.0
import CLinux

/// What /proc/PID/stat says about a process (proc(5)).
package struct ProcessStat: Sendable, Equatable {
    /// `R`, `S`, `Z` (zombie), `X` (dead), …
    package var state: UInt8
    /// Clock ticks after boot: with the pid it names a process for ever.
    package var startTime: UInt64

    package init(state: UInt8, startTime: UInt64) {
        self.state = state
        self.startTime = startTime
    }

    /// Nil if there is no such process.
    package static func read(_ pid: Int32) -> ProcessStat? {
        guard pid > 0, let bytes = try? readFile(FilePath("/proc/\(pid)/stat"), limit: 65536) else { return nil }
        return ProcessStat(parsing: bytes)
    }

    /// The program's name stands in parentheses and may itself contain some: fields count from the last one.
    package init?(parsing bytes: [UInt8]) {
        guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, let state = fields[0].first,
            let start = UInt64(String(decoding: fields[19], as: UTF8.self))
        else { return nil }
        self.init(state: state, startTime: start)
    }

    package var hasEnded: Bool { state == UInt8(ascii: "Z") || state == UInt8(ascii: "X") }
}

/// A pidfd: a process that cannot turn into another one (pidfd_open(2)).
package func openProcess(_ pid: Int32) throws(SysError) -> OwnedFD {
    OwnedFD(owning: try sys("pidfd_open", String(pid)) { swrun_pidfd_open(pid, 0) })
}

/// The number that a pidfd's process has in our pid namespace (proc(5), /proc/PID/fdinfo).
package func processNumber(_ process: borrowing OwnedFD) throws(SysError) -> Int32 {
    let text = try readText(FilePath("/proc/self/fdinfo/\(process.raw)"))
    for line in text.split(separator: "\n") where line.hasPrefix("Pid:") {
        let digits = line.utf8.drop { $0 < 48 || $0 > 57 }
        if let number = Int32(String(decoding: digits, as: UTF8.self)), number > 0 { return number }
    }
    throw SysError("read", "fdinfo of a pidfd", .noSuchProcess)
}

/// The signals that a process holds back, as bits from SIGHUP on (proc(5), "SigBlk" of /proc/PID/status); nil if there is
/// no such process.
package func blockedSignals(of pid: Int32) -> UInt64? {
    guard let text = try? readText(FilePath("/proc/\(pid)/status")) else { return nil }
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) where line.starts(with: "SigBlk:".utf8) {
        return UInt64(String(Substring(line.dropFirst("SigBlk:\t".utf8.count))), radix: 16)
    }
    return nil
}

package func sendSignal(_ signal: CInt, to process: borrowing OwnedFD) throws(SysError) {
    let number = process.raw
    try sys("pidfd_send_signal") { swrun_pidfd_send_signal(number, signal) }
}

/// Waits until the process has ended, at most `milliseconds` (-1: for ever); false if it still runs then.
package func waitForEnd(of process: borrowing OwnedFD, milliseconds: CInt) throws(SysError) -> Bool {
    var entry = pollfd(fd: process.raw, events: Int16(POLLIN), revents: 0)
    return try sys("poll") { poll(&entry, 1, milliseconds) } > 0
}

/// How a child ended.
package struct ChildEnd: Sendable, Equatable {
    /// The exit code, 128 + the signal if one ended it.
    package var code: CInt
    /// Zero if it exited.
    package var signal: CInt

    /// As Go says it: `exit status 1`, `signal: killed`.
    package var text: String {
        switch signal {
        case 0: "exit status \(code)"
        case SIGABRT: "signal: aborted"
        case SIGKILL: "signal: killed"
        case SIGSEGV: "signal: segmentation fault"
        case SIGSYS: "signal: bad system call"
        case SIGTERM: "signal: terminated"
        default: "signal: signal \(signal)"
        }
    }
}

/// Waits for a child of ours.
package func waitForEnd(ofChild pid: Int32) throws(SysError) -> ChildEnd {
    var status: CInt = 0
    try sys("waitpid", String(pid)) { waitpid(pid, &status, 0) }
    if swrun_wifexited(status) != 0 { return ChildEnd(code: swrun_wexitstatus(status), signal: 0) }
    return ChildEnd(code: 128 + swrun_wtermsig(status), signal: swrun_wtermsig(status))
}

/// Waits for a child of ours and returns its exit code, 128 + the signal if one ended it.
package func waitForChild(_ pid: Int32) throws(SysError) -> CInt { try waitForEnd(ofChild: pid).code }

/// The numbers of signals by their names, as kill(1) knows them: `TERM`, `SIGTERM`, `15`, `RTMIN+3`.
package func signalNumber(_ name: String) -> CInt? {
    if let number = CInt(name) { return number >= 0 && number <= 64 ? number : nil }
    var short = name.uppercased()
    if short.hasPrefix("SIG") { short = String(short.dropFirst(3)) }
    if let index = signalNames.firstIndex(of: short) { return CInt(index + 1) }
    let aliases: [(String, CInt)] = [
        ("CLD", 17), ("POLL", 29), ("IOT", 6), ("UNUSED", 31), ("RTMIN", 34), ("RTMAX", 64),
    ]
    for alias in aliases where alias.0 == short { return alias.1 }
    if short.hasPrefix("RTMIN+"), let offset = CInt(short.dropFirst(6)), offset > 0, offset <= 30 { return 34 + offset }
    if short.hasPrefix("RTMAX-"), let offset = CInt(short.dropFirst(6)), offset > 0, offset <= 30 { return 64 - offset }
    return nil
}

private let signalNames = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
]
