// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// Bytes that wait for a descriptor to take them, in order.
///
/// They are kept in pieces, so that neither a long queue's growth nor taking from its front copies what is in it.
struct ByteQueue: Sendable {
    private static let piece = 65536

    private var pieces: [[UInt8]] = []
    /// How much of the first piece is gone.
    private var start = 0
    private(set) var count = 0

    init() {}

    var isEmpty: Bool { count == 0 }

    mutating func append(_ more: some Collection<UInt8>) {
        guard !more.isEmpty else { return }
        count += more.count
        if let last = pieces.indices.last, pieces[last].count + more.count <= Self.piece {
            pieces[last].append(contentsOf: more)
        } else {
            pieces.append(Array(more))
        }
    }

    /// Sends `head` and `payload` to `fd` behind what waits already, and keeps what it does not take.
    mutating func send(_ head: [UInt8], _ payload: ArraySlice<UInt8>, to fd: borrowing OwnedFD) -> Transfer {
        var written = 0
        if isEmpty {
            switch writeNonBlocking(fd, head, payload) {
            case .bytes(let count): written = count
            case .wouldBlock: break
            case .ended: return .ended
            }
        }
        append(head.dropFirst(written))
        append(payload.dropFirst(max(0, written - head.count)))
        return flush(to: fd)
    }

    /// Writes as much as `fd` takes. `bytes(0)` when nothing is left to write.
    mutating func flush(to fd: borrowing OwnedFD) -> Transfer {
        var written = 0
        while let first = pieces.first {
            switch writeNonBlocking(fd, first[start...]) {
            case .bytes(let count):
                written += count
                drop(count)
            case .wouldBlock: return .wouldBlock
            case .ended:
                removeAll()
                return .ended
            }
        }
        return .bytes(written)
    }

    mutating func removeAll() { self = ByteQueue() }

    /// Takes `length` bytes of the first piece away.
    private mutating func drop(_ length: Int) {
        start += length
        count -= length
        if start == pieces[0].count {
            pieces.removeFirst()
            start = 0
        }
    }
}
