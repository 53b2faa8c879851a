// SPDX-License-Identifier: Apache-2.0

/// A window onto a source that can be looked at before it is consumed.
package final class InputBuffer: ByteSource {
    private let source: any ByteSource
    private let storage: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0

    package init(_ source: any ByteSource, capacity: Int = 1 << 17) {
        self.source = source
        storage = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { storage.deallocate() }

    /// What is buffered; empty only at the end of the source. Valid until the next call.
    package func window() throws -> UnsafeMutableRawBufferPointer {
        if start == end {
            start = 0
            end = try source.read(into: storage)
        }
        return UnsafeMutableRawBufferPointer(rebasing: storage[start..<end])
    }

    package func consume(_ count: Int) { start += count }

    /// The next `count` bytes without consuming them; fewer at the end.
    package func peek(_ count: Int) throws -> [UInt8] {
        if end - start < count, start > 0 {
            storage.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[start..<end]))
            (start, end) = (0, end - start)
        }
        while end - start < count {
            let got = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: storage[end...]))
            if got == 0 { break }
            end += got
        }
        return Array(storage[start..<min(end, start + count)])
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if start == end, buffer.count >= storage.count { return try source.read(into: buffer) }
        let window = try window()
        let count = min(window.count, buffer.count)
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: window[..<count]))
        consume(count)
        return count
    }
}
