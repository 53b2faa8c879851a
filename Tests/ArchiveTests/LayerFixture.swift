// SPDX-License-Identifier: Apache-2.0
import Archive
import CLinux
import LinuxSystem
import Tar

/// A place to unpack layers into, beside a directory that must never change.
final class LayerFixture {
    let base: FilePath
    var root: FilePath { base / "root" }
    var outside: FilePath { base / "outside" }

    init() throws {
        var template = Array("/tmp/swrun-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SysError("mkdtemp", "/tmp", .current) }
        base = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        try makeDirectory(base / "root")
        try makeDirectory(base / "outside")
        try writeAll(
            LinuxSystem.open(base / "outside" / "secret", O_WRONLY | O_CREAT, mode: 0o600), Array("untouched".utf8))
    }

    deinit { try? removeTree(base) }

    /// Applies layers as an ordinary user may: no owners, no devices.
    func apply(_ layers: [UInt8]..., maximumBytes: Int64 = .max) throws {
        for layer in layers {
            let options = LayerOptions(preservesOwnership: false, maximumBytes: maximumBytes)
            let applier = try LayerApplier(directory: root, options: options)
            let tar = try decompressed(MemorySource(layer))
            try applier.apply(tar)
            try tar.drain()
        }
    }

    /// Applies a layer that may be refused; what matters is what it left behind.
    func attempt(_ layer: [UInt8]) -> String? {
        do { try apply(layer) } catch { return "\(error)" }
        return nil
    }

    /// Nothing but root and outside, and in outside nothing but the file as it was.
    var isOutsideUntouched: Bool {
        guard let here = try? listDirectory(base).sorted(), let there = try? listDirectory(outside),
            let text = try? readText(outside / "secret"), let info = try? status(outside / "secret")
        else { return false }
        return here == ["outside", "root"] && there == ["secret"] && text == "untouched"
            && info.st_mode & 0o7777 == 0o600 && info.st_nlink == 1
    }

    func text(_ path: String) throws -> String { try readText(root / path) }

    func exists(_ path: String) -> Bool { LinuxSystem.exists(root / path) }
}
