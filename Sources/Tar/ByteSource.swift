// SPDX-License-Identifier: Apache-2.0

/// A stream of bytes that is pulled. Used by one thread at a time.
package protocol ByteSource: AnyObject {
    /// Fills some of `buffer`, which is not empty; 0 is the end of the stream, for good.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

extension ByteSource {
    /// Reads at most `count` bytes; an empty result is the end.
    package func read(upTo count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = try read(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// Reads to the end; returns how many bytes there were.
    @discardableResult
    package func drain() throws -> Int64 {
        var total: Int64 = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try read(into: buffer)
            if count == 0 { return total }
            total += Int64(count)
        }
    }
}

/// Reads bytes in memory.
package final class MemorySource: ByteSource {
    private var bytes: ArraySlice<UInt8>

    package init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = min(buffer.count, bytes.count)
        buffer.copyBytes(from: bytes.prefix(count))
        bytes = bytes.dropFirst(count)
        return count
    }
}

/// Reads bytes that arrive in pieces, such as the body of a response.
package final class PieceSource: ByteSource {
    private let next: () throws -> [UInt8]?
    private var piece: ArraySlice<UInt8> = []
    private var isFinished = false

    /// - Parameter next: the next bytes; nil at the end.
    package init(_ next: @escaping () throws -> [UInt8]?) { self.next = next }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while piece.isEmpty {
            guard !isFinished, let bytes = try next() else {
                isFinished = true
                return 0
            }
            piece = bytes[...]
        }
        let count = min(buffer.count, piece.count)
        buffer.copyBytes(from: piece.prefix(count))
        piece = piece.dropFirst(count)
        return count
    }
}
