// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem

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

/// Reads a descriptor from where it stands.
package final class FileSource: ByteSource {
    private let file: OwnedFD

    package init(_ file: consuming OwnedFD) { self.file = file }

    package init(path: FilePath) throws(SysError) { file = try LinuxSystem.open(path, O_RDONLY) }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let fd = file.raw
        return try sys("read") { CLinux.read(fd, buffer.baseAddress, buffer.count) }
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

/// Shows every byte that passes through to an observer, such as a hasher.
package final class ObservedSource: ByteSource {
    private let source: any ByteSource
    private let observe: (UnsafeRawBufferPointer) -> Void

    package init(_ source: any ByteSource, observe: @escaping (UnsafeRawBufferPointer) -> Void) {
        self.source = source
        self.observe = observe
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = try source.read(into: buffer)
        observe(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
        return count
    }
}
