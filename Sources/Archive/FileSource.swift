// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem
package import Tar

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
