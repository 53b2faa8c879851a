// SPDX-License-Identifier: Apache-2.0
import CLinux
import JSON
import LinuxSystem
import OCISpec

/// Runs hooks one after the other in the calling process's namespaces; the first that fails is the error.
///
/// - Parameter environment: for hooks that say nothing of theirs; nil for the runtime's own.
func runHooks(
    _ hooks: [RuntimeHooks.Hook], named name: String, state: @autoclosure () -> RuntimeState,
    environment: [String]? = nil
) throws(RuntimeError) {
    if hooks.isEmpty { return }
    let input = state().json.bytes()
    for (index, hook) in hooks.enumerated() {
        let context = "error running \(name) hook #\(index)"
        var hook = hook
        if hook.environment?.isEmpty ?? true, let environment { hook.environment = environment }
        let failure = try step(context) { () throws(SysError) in try run(hook, input: input) }
        if let failure { throw RuntimeError(context + ": " + failure) }
    }
}

/// Runs hooks that cannot stop anything any more: one that fails is a warning, and the next ones still run.
func runFinalHooks(_ hooks: [RuntimeHooks.Hook], named name: String, state: RuntimeState, _ log: Log) {
    for hook in hooks {
        do throws(RuntimeError) { try runHooks([hook], named: name, state: state) } catch {
            log.warning(error.message)
        }
    }
}

/// How it failed, if it did, with what it wrote. It gets the state on stdin; when its time is over it is killed.
private func run(_ hook: RuntimeHooks.Hook, input: [UInt8]) throws(SysError) -> String? {
    let file = try makeMemoryFile("state")  // unlike a pipe it takes annotations of any size
    try writeAll(file, input)
    try rewind(file)
    let output = try makeMemoryFile("stdout")
    let errors = try makeMemoryFile("stderr")
    var spawn = Spawn(
        FilePath(hook.path), Array(hook.args.dropFirst()), environment: hook.environment ?? Environment.current())
    if let first = hook.args.first { spawn.programName = first }
    let pid = try spawn.start(stdin: file.raw, stdout: output.raw, stderr: errors.raw)
    try limitTime(of: pid, by: hook)
    let end = try waitForEnd(ofChild: pid)
    if end.code == 0 { return nil }
    return end.text + ", stdout: " + (try written(to: output)) + ", stderr: " + (try written(to: errors))
}

/// Waits as long as the hook may run.
private func limitTime(of pid: pid_t, by hook: RuntimeHooks.Hook) throws(SysError) {
    if let timeout = hook.timeout {
        let process = try openProcess(pid)
        let milliseconds = CInt(clamping: min(timeout, 1_000_000) * 1000)
        if try !waitForEnd(of: process, milliseconds: milliseconds) {
            try sendSignal(SIGKILL, to: process)
            _ = try waitForChild(pid)
            throw SysError("run", hook.path, Errno(rawValue: ETIMEDOUT))
        }
    }
}

private func rewind(_ file: borrowing OwnedFD) throws(SysError) {
    let number = file.raw
    try sys("lseek") { Int(lseek(number, 0, SEEK_SET)) }
}

/// The beginning of what a memory file holds.
private func written(to file: borrowing OwnedFD) throws(SysError) -> String {
    try rewind(file)
    return String(decoding: try readSome(file, upTo: 4096), as: UTF8.self)
}
