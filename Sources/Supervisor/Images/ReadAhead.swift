// SPDX-License-Identifier: Apache-2.0
import ContentStore
import OCISpec
import Synchronization
import Tar
import Threads

/// Reads a source ahead on a thread of its own and hashes what it reads, so that decompressing and hashing go on while
/// the reader writes.
final class ReadAhead: ByteSource {
    private let queue: BlockingQueue<[UInt8]>
    private let worker = ReadAheadWorker()
    private let pieces: PieceSource

    /// - Parameter open: makes the source, on the thread that reads it.
    init(_ open: @escaping @Sendable () throws -> any ByteSource) {
        let queue = BlockingQueue<[UInt8]>(capacity: 4)
        let worker = worker
        self.queue = queue
        pieces = PieceSource { try queue.next() }
        detachThread(stackBytes: 1 << 20) { worker.run(queue, open) }
    }

    deinit { queue.close() }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int { try pieces.read(into: buffer) }

    /// Reads to the end; returns digest and size of everything.
    func finish() throws -> (digest: Digest, size: Int64) {
        try drain()
        return worker.result.withLock { ($0.hasher.finish(), $0.size) }
    }
}

/// The thread's side.
private final class ReadAheadWorker: Sendable {
    /// Complete when the queue has ended.
    let result = Mutex((hasher: BlobHasher(), size: Int64(0)))

    func run(_ queue: BlockingQueue<[UInt8]>, _ open: () throws -> any ByteSource) {
        do {
            let source = try open()
            while true {
                let piece = try source.read(upTo: 1 << 17)
                result.withLock {
                    $0.hasher.update(piece)
                    $0.size += Int64(piece.count)
                }
                guard !piece.isEmpty, queue.sendBlocking(piece) else { break }
            }
            queue.finish()
        } catch {
            queue.finish(throwing: error)
        }
    }
}
