// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem
import Synchronization
package import Tar

/// A temporary file without a name: it is gone with its last reference, or with the process.
package final class SpoolFile: Sendable {
    private let file: OwnedFD
    private let length = Mutex<Int64>(0)

    package init(directory: FilePath) throws(SysError) {
        let path = directory / ("spool-\(getpid())-\(monotonicNanoseconds())")
        file = try LinuxSystem.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
        try removeFile(path)
    }

    package var size: Int64 { length.withLock { $0 } }

    package func append(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try append($0) }
    }

    /// Adds everything that `source` has left.
    package func append(_ source: any ByteSource) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let count = try source.read(into: buffer)
            if count == 0 { return }
            try append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
        }
    }

    private func append(_ bytes: UnsafeRawBufferPointer) throws(SysError) {
        let fd = file.raw
        let start = size
        var done = 0
        while done < bytes.count {
            done += try sys("pwrite", "temporary file") {
                pwrite(fd, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(start) + off_t(done))
            }
        }
        length.withLock { $0 = start + Int64(bytes.count) }
    }

    /// A stream over a part of the file.
    package func source(_ range: Range<Int64>) -> any ByteSource { SpoolSource(self, range) }

    /// A stream over the whole file.
    package var source: any ByteSource { source(0..<size) }

    fileprivate func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SysError) -> Int {
        let fd = file.raw
        return try sys("pread", "temporary file") { pread(fd, buffer.baseAddress, buffer.count, off_t(offset)) }
    }
}

private final class SpoolSource: ByteSource {
    private let file: SpoolFile
    private var range: Range<Int64>

    init(_ file: SpoolFile, _ range: Range<Int64>) {
        self.file = file
        self.range = range
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let wanted = Int(min(Int64(buffer.count), range.upperBound - range.lowerBound))
        guard wanted > 0 else { return 0 }
        let got = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: range.lowerBound)
        range = (range.lowerBound + Int64(got))..<range.upperBound
        return got
    }
}
