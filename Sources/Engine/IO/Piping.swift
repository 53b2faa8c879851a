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
