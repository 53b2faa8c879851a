// SPDX-License-Identifier: Apache-2.0
import CLinux
import JSON
import LinuxSystem

/// What a runtime command came to.
struct RuntimeResult: Sendable, Equatable {
    var exitCode: CInt
    /// What the runtime says went wrong; nil after success.
    var failure: String?
    var output: [UInt8] = []
}

/// Runs the commands of an OCI runtime, each as a child process whose end the event loop reports.
final class OCIRuntime {
    let settings: RuntimeSettings
    private let bundle: FilePath
    private let loop: EventLoop
    private let reaper: Reaper
    private var commands = 0

    init(_ settings: RuntimeSettings, bundle: FilePath, loop: EventLoop, reaper: Reaper) {
        self.settings = settings
        self.bundle = bundle
        self.loop = loop
        self.reaper = reaper
    }

    /// Runs a command without streams; its output is in the result.
    func run(_ arguments: [String], _ done: @escaping (RuntimeResult) -> Void) {
        do throws(SysError) {
            let output = try CapturedOutput()
            try launch(arguments) { (spawn) throws(SysError) in
                try output.start(spawn)
            } done: { result in
                var result = result
                result.output = output.read()
                if result.exitCode != 0 && result.failure == nil { result.failure = text(result) }
                done(result)
            }
        } catch {
            done(RuntimeResult(exitCode: -1, failure: error.description))
        }
    }

    /// Runs a command that makes a process, which inherits the command's streams.
    func run(_ arguments: [String], io: ProcessIO, _ done: @escaping (RuntimeResult) -> Void) {
        do throws(SysError) {
            try launch(arguments) { (spawn) throws(SysError) in
                try io.withChildEnds { (stdin, stdout, stderr) throws(SysError) in
                    try spawn.start(stdin: stdin, stdout: stdout, stderr: stderr)
                }
            } done: { result in
                var result = result
                if result.exitCode != 0 && result.failure == nil { result.failure = text(result) }
                done(result)
            }
        } catch {
            done(RuntimeResult(exitCode: -1, failure: error.description))
        }
    }

    private func launch(
        _ arguments: [String], start: (Spawn) throws(SysError) -> pid_t, done: @escaping (RuntimeResult) -> Void
    ) throws(SysError) {
        commands += 1
        let log = bundle / ("runtime-" + String(commands) + ".log")
        let all = settings.globalArguments(log: log) + arguments
        var spawn = Spawn(settings.binary, all, environment: Environment.current())
        spawn.directory = bundle
        spawn.diesWithParent = true
        let pid = try start(spawn)
        reaper.wait(pid) { code, _ in
            let failure = code == 0 ? nil : lastError(in: log)
            _ = try? removeFile(log)
            done(RuntimeResult(exitCode: code, failure: failure))
        }
    }
}

/// The message of the last error in a runtime's JSON log.
private func lastError(in log: FilePath) -> String? {
    guard let bytes = try? readFile(log, limit: 1 << 20) else { return nil }
    for line in bytes.split(separator: UInt8(ascii: "\n")).reversed() {
        guard let entry = try? JSONValue(parsing: Array(line)), entry["level"]?.string == "error" else { continue }
        if let message = entry["msg"]?.string { return message }
    }
    return nil
}

/// What to say when the log says nothing.
private func text(_ result: RuntimeResult) -> String {
    let output = String(decoding: result.output.prefix(4096), as: UTF8.self)
    return output.utf8.isEmpty ? "runtime ended with exit code " + String(result.exitCode) : output
}

/// A memory file that a command writes its stdout and stderr to: nothing to read while it runs, nothing to clean up.
private final class CapturedOutput {
    private let file: OwnedFD

    init() throws(SysError) { file = try makeMemoryFile("runtime-output") }

    func start(_ spawn: Spawn) throws(SysError) -> pid_t {
        let null = try LinuxSystem.open(FilePath("/dev/null"), O_RDWR)
        return try spawn.start(stdin: null.raw, stdout: file.raw, stderr: file.raw)
    }

    func read() -> [UInt8] {
        lseek(file.raw, 0, SEEK_SET)
        return (try? readAll(file, limit: 1 << 20)) ?? []
    }
}
