// SPDX-License-Identifier: Apache-2.0
// swrun-supervisor: containerd's role. Parses flags, takes the lock, serves both sockets, and ends at SIGTERM while the
// containers go on.
import Flags
import Glibc
import LinuxSystem
import Threads

Heap.limit()
do {
    // The main thread reads the signals, blocked before any other thread exists. It must not await: an async main ends
    // in dispatch_main(), whose sigsuspend(2) lets every signal through.
    let signals = try SignalDescriptor(nonBlocking: false)
    guard let options = try Options.parse(Array(try CommandLineArguments.current().dropFirst())) else { exit(0) }
    let daemon = try Daemon(options)
    IdleMemory.releaseWhenIdle()
    // Lives as long as the process, and ends it.
    Task.detached { await daemon.run() }
    daemon.stopAtSignal(signals)
} catch {
    fail(error)
}

/// Says why on standard error and ends the program.
func fail(_ error: any Error) -> Never {
    let text = (error as? FlagError)?.message ?? "\(error)"
    try? StandardStreams.write(2, Array("swrun-supervisor: \(text)\n".utf8))
    exit(1)
}
