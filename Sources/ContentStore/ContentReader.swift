// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem
package import OCISpec

/// An open blob. Stays readable even if the blob is deleted meanwhile.
package final class ContentReader: Sendable {
    package let size: Int64
    private let file: OwnedFD

    init(path: FilePath) throws(SysError) {
        file = try LinuxSystem.open(path, O_RDONLY)
        size = Int64(try status(file).st_size)
    }

    /// At most `count` bytes from `offset`; fewer only at the end.
    package func read(at offset: Int64, count: Int) throws(SysError) -> [UInt8] {
        let fd = file.raw
        let wanted = max(0, min(count, Int(size - min(offset, size))))
        var bytes = [UInt8](repeating: 0, count: wanted)
        var done = 0
        while done < wanted {
            let got = try sys("pread") {
                bytes.withUnsafeMutableBytes {
                    pread(fd, $0.baseAddress?.advanced(by: done), wanted - done, off_t(offset) + off_t(done))
                }
            }
            if got == 0 { break }
            done += got
        }
        if done < wanted { bytes.removeLast(wanted - done) }
        return bytes
    }
}

extension ContentStore {
    /// Opens a blob that the namespace sees.
    package func reader(_ namespace: String, _ digest: Digest) throws -> ContentReader {
        _ = try info(namespace, digest)
        do throws(SysError) { return try ContentReader(path: path(of: digest)) } catch {
            guard error.errno == .noSuchFile else { throw error }
            throw Self.missing(digest)
        }
    }

    /// A whole small blob; one of more than `limit` bytes is refused.
    package func read(_ namespace: String, _ digest: Digest, limit: Int) throws -> [UInt8] {
        let reader = try reader(namespace, digest)
        guard reader.size <= limit else {
            throw ServiceError(.invalidArgument, "content \(digest) has \(reader.size) bytes, more than \(limit)")
        }
        return try reader.read(at: 0, count: Int(reader.size))
    }
}
