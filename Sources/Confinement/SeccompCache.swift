// SPDX-License-Identifier: Apache-2.0
import CLinux
import JSON
package import LinuxSystem
package import OCISpec

/// Compiled filters, each in a file named by a hash of what it depends on: the profile, the machine, the library. The
/// file holds all of that itself and is compared in full, so the hash need not be a strong one.
///
/// The directory belongs to root and nobody else can look into it; a file that someone else could have written is
/// not used.
package struct SeccompCache: Sendable {
    package let directory: FilePath

    package init(directory: FilePath) { self.directory = directory }

    /// The filter of a profile, compiled if it is not there yet. A cache that cannot be used is no error.
    package func filter(_ profile: RuntimeSeccomp) throws(SysError) -> SeccompFilter {
        let key = SeccompCache.key(profile)
        let path = directory / hashName(key)
        if let bytes = trustedContent(path), let found = SeccompFilter(parsing: bytes, key: key) { return found }
        let filter = try SeccompCompiler.compile(profile)
        try? store(filter.serialized(key: key), path)
        return filter
    }

    private static func key(_ profile: RuntimeSeccomp) -> [UInt8] {
        var system = utsname()
        uname(&system)
        let machine = withUnsafeBytes(of: &system.machine) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        let header = "swrun-filter 3 " + machine + " libseccomp " + SeccompCompiler.libraryVersion + "\n"
        return Array(header.utf8) + profile.source.bytes()
    }

    private func trustedContent(_ path: FilePath) -> [UInt8]? {
        guard let file = try? open(path, O_RDONLY | O_NOFOLLOW), let info = try? status(file),
            isRegularFile(info), info.st_uid == geteuid(), info.st_mode & 0o077 == 0
        else { return nil }
        return try? readAll(file, limit: 4 << 20)
    }

    private func store(_ bytes: [UInt8], _ path: FilePath) throws(SysError) {
        try makeDirectories(directory, mode: 0o700)
        let temporary = FilePath(path.string + "." + String(getpid()))
        do throws(SysError) {
            let file = try open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
            try writeAll(file, bytes)
            try rename(temporary, path)
        } catch {
            try? removeFile(temporary)
            throw error
        }
    }
}

/// FNV-1a, 64 bits, in hexadecimal.
private func hashName(_ bytes: [UInt8]) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return String(hash, radix: 16)
}

extension SeccompFilter {
    /// `key length, key, flags, program`, the numbers as 4 bytes each, least significant first.
    package func serialized(key: [UInt8]) -> [UInt8] { word(UInt32(key.count)) + key + word(flags) + program }

    /// Nil if it is not a filter for this key.
    package init?(parsing bytes: [UInt8], key: [UInt8]) {
        guard bytes.count >= 8 + key.count, bytes[..<4].elementsEqual(word(UInt32(key.count))),
            bytes[4..<4 + key.count].elementsEqual(key)
        else { return nil }
        let flags = bytes[(4 + key.count)..<(8 + key.count)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        self.init(program: Array(bytes[(8 + key.count)...]), flags: flags)
        if program.isEmpty || program.count % 8 != 0 { return nil }
    }
}

private func word(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }
