// SPDX-License-Identifier: Apache-2.0
// swrund: the Docker Engine API. Everything is in Daemon; see docs/architecture.md.
import LinuxSystem
import Threads

Heap.limit()
// The main thread waits for signals, blocked before any other thread exists. It must not await: an async main ends in
// dispatch_main(), whose sigsuspend(2) lets every signal through.
let signals = StopSignals()
let (reloads, reload) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
IdleMemory.releaseWhenIdle()
let daemon = Task.detached { await Daemon.main(reloads: reloads) }  // ends the process itself
signals.waitForever {
    reload.yield()
} stop: {
    daemon.cancel()
}
