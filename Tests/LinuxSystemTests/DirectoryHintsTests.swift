// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import Testing

@Suite("Hints to the file system")
struct DirectoryHintsTests {
    /// The flags that lsattr(1) shows; nil where the file system has none.
    private func flags(_ path: FilePath) throws -> CLong? {
        let opened = try LinuxSystem.open(path, O_RDONLY | O_DIRECTORY)
        var flags: CLong = 0
        return swrun_ioctl_ptr(opened.raw, 0x8008_6601, &flags) == 0 ? flags : nil
    }

    @Test("spreading subdirectories adds the attribute T where there is one, and harms nothing else")
    func spreading() throws {
        let directory = try TemporaryDirectory()
        let before = try flags(directory.path)
        for _ in 0..<2 { spreadSubdirectories(of: directory.path) }
        spreadSubdirectories(of: directory.path / "missing")
        if let before, let after = try flags(directory.path) {
            #expect(after == before | 0x2_0000 || after == before)
        }
        try makeDirectory(directory.path / "tree")
        #expect(exists(directory.path / "tree"))
    }
}
