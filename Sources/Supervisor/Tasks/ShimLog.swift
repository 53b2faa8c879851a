// SPDX-License-Identifier: Apache-2.0
import AsyncTTRPC
import Glibc
import LinuxSystem
import Logging
import Threads

/// Passes on what a shim writes to the `log` FIFO of its bundle, which containerd's own shims insist on: they wait for
/// a reader before they serve. swrun-shim has no use for it.
enum ShimLog {
    /// Makes the FIFO and starts a thread that reads it until the shim has closed it or the bundle is gone.
    static func open(_ bundle: Bundle, log: Logger) throws {
        if !exists(bundle.log) { try sys("mkfifo", bundle.log.string) { mkfifo(bundle.log.string, 0o600) } }
        let fifo = try LinuxSystem.open(bundle.log, O_RDONLY | O_NONBLOCK)
        let descriptor = fifo.relinquish()
        detachThread { copy(OwnedFD(owning: descriptor), bundle, log) }
    }

    private static func copy(_ fifo: consuming OwnedFD, _ bundle: Bundle, _ log: Logger) {
        while exists(bundle.path) {
            var poll = pollfd(fd: fifo.raw, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&poll, 1, 60_000) > 0 else { continue }  // looks after the bundle now and then
            guard let bytes = try? readSome(fifo, upTo: 1 << 16), !bytes.isEmpty else { return }
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
                log.debug("shim says", metadata: ["task": "\(bundle.key)", "text": "\(line)"])
            }
        }
    }
}
