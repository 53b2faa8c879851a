// SPDX-License-Identifier: Apache-2.0
import Archive
import LinuxSystem
import Tar
import Threads

/// Passes on what `produce` writes on a thread of its own, as fast as `write` takes it. When `write` fails, `produce`
/// fails with EPIPE at its next write.
func piping(
    _ produce: @escaping @Sendable (any ByteSink) throws -> Void, to write: ([UInt8]) async throws -> Void
) async throws {
    let pipe = try Pipe()
    let writeEnd = pipe.write.relinquish()
    let producer = Task {  // ends with its thread, which ends when the read end is closed at the latest
        try await withCheckedThrowingContinuation { continuation in
            detachThread(stackBytes: 1 << 20) {
                continuation.resume(with: Result { try produce(FileSink(OwnedFD(owning: writeEnd))) })
            }
        }
    }
    try await pass(on: pipe.read, to: write)
    try await producer.value
}

/// Runs `consume` on a thread of its own with the bytes of `body`, which it takes as it needs them. What `consume` leaves
/// over is not read.
func withBlockingSource<Result: Sendable>(
    _ body: some AsyncSequence<[UInt8], any Error> & Sendable,
    _ consume: @escaping @Sendable (any ByteSource) throws -> Result
) async throws -> Result {
    let queue = BlockingQueue<[UInt8]>(capacity: 4)
    async let result = runOnThread {
        defer { queue.close() }
        return try consume(PieceSource { try queue.next() })
    }
    do {
        for try await bytes in body { if await !queue.send(bytes) { break } }
        queue.finish()
    } catch { queue.finish(throwing: error) }
    return try await result
}

private func pass(on end: consuming OwnedFD, to write: ([UInt8]) async throws -> Void) async throws {
    try end.setNonBlocking()
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        switch readNonBlocking(end, into: &buffer) {
        case .bytes(let count): try await write(Array(buffer[..<count]))
        case .wouldBlock: try await waitUntilReadable(end.raw)
        case .ended: return
        }
    }
}
