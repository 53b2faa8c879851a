// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import Testing

@Suite("Counting trees")
struct TreeUsageTests {
    @Test("lengths as docker counts them, blocks as du does, each inode once")
    func numbers() throws {
        let base = try TemporaryDirectory()
        let tree = base.path / "tree"
        try makeDirectories(tree / "a/b")
        try writeFileAtomically(tree / "a/file", [UInt8](repeating: 1, count: 10_000))
        #expect(link((tree / "a/file").string, (tree / "a/b/same").string) == 0)
        #expect(symlink("eleven byte", (tree / "link").string) == 0)
        let sparse = try open(tree / "sparse", O_WRONLY | O_CREAT, mode: 0o600)
        #expect(ftruncate(sparse.raw, 1 << 40) == 0)
        let usage = try treeUsage(tree)
        #expect(usage.lengths == 1 << 40 + 10_011)
        #expect(usage.inodes == 6)  // three directories, one file with two names, a link, a sparse file
        #expect(usage.allocated >= 10_000 && usage.allocated < 1 << 20)
        #expect(try treeUsage(tree / "link").lengths == 11)
        #expect(throws: SysError.self) { try treeUsage(tree / "nothing") }
    }

    @Test("names that are no text, links out of the tree, and depths beyond any path and any number of descriptors")
    func anything() throws {
        let base = try TemporaryDirectory()
        var directory = try LinuxSystem.open(base.path, O_RDONLY | O_DIRECTORY)
        let levels = 2000
        for _ in 0..<levels {
            let file = swrun_openat(directory.raw, [0x66, -1, 0] as [CChar], O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            #expect(file >= 0 && write(file, "1234567", 7) == 7)
            close(file)
            #expect(symlinkat("/usr", directory.raw, "link") == 0)
            #expect(mkdirat(directory.raw, [0x64, -2, 0x64, 0] as [CChar], 0o700) == 0)
            let child = swrun_openat(directory.raw, [0x64, -2, 0x64, 0] as [CChar], O_RDONLY | O_DIRECTORY, 0)
            directory = OwnedFD(owning: child)
        }
        let usage = try treeUsage(base.path)
        #expect(usage.lengths == Int64(levels * (7 + 4)))
        #expect(usage.inodes == Int64(levels * 3 + 1))
    }

    @Test("sums end at the maximum")
    func saturating() {
        #expect(Int64.max.addingSaturating(1) == .max)
        #expect(Int64(1).addingSaturating(2) == 3)
    }
}
