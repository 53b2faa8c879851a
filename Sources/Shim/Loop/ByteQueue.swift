// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// Bytes that wait for a descriptor to take them, in order.
struct ByteQueue: Sendable {
    private var bytes: [UInt8] = []
    private var start = 0

    init() {}

    var count: Int { bytes.count - start }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ more: some Collection<UInt8>) { bytes.append(contentsOf: more) }

    /// Writes as much as `fd` takes. `bytes(0)` when nothing is left to write.
    mutating func flush(to fd: borrowing OwnedFD) -> Transfer {
        var written = 0
        while !isEmpty {
            switch writeNonBlocking(fd, bytes[start...]) {
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

    mutating func removeAll() {
        bytes = []
        start = 0
    }

    /// Takes the first `count` bytes away. Memory is given back when the queue is empty, so an idle one holds none.
    mutating func drop(_ count: Int) {
        start += min(count, self.count)
        if start == bytes.count {
            removeAll()
        } else if start > 65536 && start > bytes.count / 2 {
            bytes.removeFirst(start)
            start = 0
        }
    }
}
