// SPDX-License-Identifier: Apache-2.0
import CLinux
import JSON
import LinuxSystem
import OCISpec

/// Runs hooks one after the other in the calling process's namespaces; the first that fails is the error.
func runHooks(
    _ hooks: [RuntimeHooks.Hook], named name: String, state: @autoclosure () -> RuntimeState
) throws(RuntimeError) {
    if hooks.isEmpty { return }
    let input = state().json.bytes()
    for (index, hook) in hooks.enumerated() {
        let context = "error running \(name) hook #\(index)"
        let end = try step(context) { () throws(SysError) in try run(hook, input: input) }
        if end.code != 0 { throw RuntimeError(context + ": " + end.text) }
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

/// How it ended. It gets the state on stdin and our stderr for both its outputs; when its time is over it is
/// killed.
private func run(_ hook: RuntimeHooks.Hook, input: [UInt8]) throws(SysError) -> ChildEnd {
    let file = try makeMemoryFile("state")  // unlike a pipe it takes annotations of any size
    try writeAll(file, input)
    let number = file.raw
    try sys("lseek") { Int(lseek(number, 0, SEEK_SET)) }
    var spawn = Spawn(
        FilePath(hook.path), Array(hook.args.dropFirst()), environment: hook.environment ?? Environment.current())
    if let first = hook.args.first { spawn.argumentZero = first }
    let pid = try spawn.start(stdin: number, stdout: 2, stderr: 2)
    if let timeout = hook.timeout {
        let process = try openProcess(pid)
        let milliseconds = CInt(clamping: min(timeout, 1_000_000) * 1000)
        if try !waitForEnd(of: process, milliseconds: milliseconds) {
            try sendSignal(SIGKILL, to: process)
            _ = try waitForChild(pid)
            throw SysError("run", hook.path, Errno(rawValue: ETIMEDOUT))
        }
    }
    return try waitForEnd(ofChild: pid)
}
