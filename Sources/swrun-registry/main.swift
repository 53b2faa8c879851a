// SPDX-License-Identifier: Apache-2.0
// swrun-registry: a registry for one machine or network (docs/registry.md). Parses flags, opens the store, listens, and
// ends at SIGTERM.
import Flags
import Glibc
import LinuxSystem

Heap.limit()
do {
    // The main thread reads the signals, blocked before any other thread exists. It must not await: an async main ends
    // in dispatch_main(), whose sigsuspend(2) lets every signal through.
    let signals = try SignalDescriptor(nonBlocking: false)
    guard let command = try Command.parse(Array(try CommandLineArguments.current().dropFirst())) else { exit(0) }
    if case .collectGarbage(let root, let untagged) = command {
        try Program.collectGarbage(root, untagged: untagged)
        exit(0)
    }
    guard case .serve(let options) = command else { exit(0) }
    let program = try Program(options)
    // Lives as long as the process, and ends it.
    let serving = Task.detached { await program.run() }
    var count = 0
    while true {
        guard let signal = signals.next(), signal == SIGTERM || signal == SIGINT else { continue }
        count += 1
        if count > 1 { exit(128 + signal) }
        serving.cancel()
    }
} catch {
    fail(error)
}

/// Says why on standard error and ends the program.
func fail(_ error: any Error) -> Never {
    let text = (error as? FlagError)?.message ?? "\(error)"
    try? StandardStreams.write(2, Array("swrun-registry: \(text)\n".utf8))
    exit(1)
}
