// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem

/// A stream of bytes that is pushed. Used by one thread at a time.
package protocol ByteSink: AnyObject {
    func write(_ bytes: UnsafeRawBufferPointer) throws

    /// Passes on the next `count` bytes of a file, and zeros where it has ended; `buffer` is free to be used for that.
    func write(_ file: borrowing OwnedFD, count: Int64, using buffer: UnsafeMutableRawBufferPointer) throws

    /// Passes on what is held back; nothing may be written afterwards.
    func finish() throws
}

extension ByteSink {
    package func write(_ bytes: [UInt8]) throws {
        if !bytes.isEmpty { try bytes.withUnsafeBytes { try write($0) } }
    }

    package func write(_ file: borrowing OwnedFD, count: Int64, using buffer: UnsafeMutableRawBufferPointer) throws {
        try copy(file, count, buffer)
    }

    /// By reading it.
    package func copy(_ file: borrowing OwnedFD, _ count: Int64, _ buffer: UnsafeMutableRawBufferPointer) throws {
        var left = count
        while left > 0 {
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(left, Int64(buffer.count)))])
            try readPadded(file, into: piece)
            try write(UnsafeRawBufferPointer(piece))
            left -= Int64(piece.count)
        }
    }
}

/// Gives everything to a function.
package final class FunctionSink: ByteSink {
    private let function: (UnsafeRawBufferPointer) throws -> Void

    package init(_ function: @escaping (UnsafeRawBufferPointer) throws -> Void) { self.function = function }

    package func write(_ bytes: UnsafeRawBufferPointer) throws { try function(bytes) }

    package func finish() {}
}

/// Shows every byte that passes through to an observer, such as a hasher.
package final class ObservedSink: ByteSink {
    private let sink: any ByteSink
    private let observe: (UnsafeRawBufferPointer) -> Void

    package init(_ sink: any ByteSink, observe: @escaping (UnsafeRawBufferPointer) -> Void) {
        self.sink = sink
        self.observe = observe
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        observe(bytes)
        try sink.write(bytes)
    }

    package func finish() throws { try sink.finish() }
}

/// Writes to a descriptor from where it stands.
package final class FileSink: ByteSink {
    private let file: OwnedFD

    package init(_ file: consuming OwnedFD) { self.file = file }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        let fd = file.raw
        var done = 0
        while done < bytes.count {
            done += try sys("write") { CLinux.write(fd, bytes.baseAddress?.advanced(by: done), bytes.count - done) }
        }
    }

    package func finish() {}
}
