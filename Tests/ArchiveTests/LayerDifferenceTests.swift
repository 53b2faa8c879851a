// SPDX-License-Identifier: Apache-2.0
import Archive
import CLinux
import LinuxSystem
import Tar
import Testing

/// Two trees side by side: an upper one on a lower one.
private final class Trees {
    let base: FilePath
    var lower: FilePath { base / "lower" }
    var upper: FilePath { base / "upper" }

    init() throws {
        var template = Array("/tmp/swrun-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SysError("mkdtemp", "/tmp", .current) }
        base = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        for name in ["lower", "upper", "other"] { try makeDirectory(base / name) }
    }

    deinit { try? removeTree(base) }

    var overlay: LayerDifference {
        LayerDifference(
            from: LayerStack(upper: nil, lowers: [lower]), to: LayerStack(upper: upper, lowers: [lower]),
            ignoring: ["/etc/hosts", "/proc"])
    }

    /// Of two whole trees, neither of which is made of the other.
    var comparison: LayerDifference {
        LayerDifference(from: LayerStack(upper: nil, lowers: [lower]), to: LayerStack(upper: nil, lowers: [upper]))
    }

    func file(_ path: FilePath, _ text: String = "x") throws {
        try makeDirectories(path.parent)
        try writeAll(LinuxSystem.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644), Array(text.utf8))
    }

    func whiteout(_ path: FilePath) throws {
        try makeDirectories(path.parent)
        try sys("mknod") { mknod(path.string, mode_t(S_IFCHR) | 0o600, 0) }
    }

}

private func tar(_ difference: LayerDifference) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try difference.write(to: FunctionSink { bytes += $0 })
    return bytes
}

private func entries(_ bytes: [UInt8]) throws -> [TarEntry] {
    let reader = TarReader(MemorySource(bytes))
    var entries: [TarEntry] = []
    while let entry = try reader.next() { entries.append(entry) }
    return entries
}

private func names(_ difference: LayerDifference) throws -> [String] { try entries(tar(difference)).map(\.displayPath) }

@Suite("Differences of layers")
struct LayerDifferenceTests {
    private let trees: Trees

    init() throws { trees = try Trees() }

    private func list(_ difference: LayerDifference) throws -> [String] {
        try difference.changes().map { change in
            let letter =
                switch change.kind {
                case .added: "A"
                case .modified: "C"
                case .deleted: "D"
                }
            return letter + " " + change.path
        }
    }

    private func makeChanges() throws {
        try trees.file(trees.lower / "etc" / "old")
        try trees.file(trees.lower / "etc" / "changed", "before")
        try trees.file(trees.lower / "usr" / "lib" / "x")
        try trees.file(trees.upper / "etc" / "changed", "after")
        try trees.file(trees.upper / "etc" / "new")
        try trees.file(trees.upper / "usr" / "lib" / "deep" / "er")
    }

    @Test("an overlay's upper directory: added, changed, deleted, with the directories above")
    func overlay() throws {
        try makeChanges()
        try trees.whiteout(trees.upper / "etc" / "old")
        let expected = [
            "C /etc", "C /etc/changed", "A /etc/new", "D /etc/old", "C /usr", "C /usr/lib", "A /usr/lib/deep",
            "A /usr/lib/deep/er",
        ]
        #expect(try list(trees.overlay) == expected)
        let written = try names(trees.overlay).filter { $0 != "./" }
        #expect(
            written == [
                "etc/", "etc/changed", "etc/new", "etc/.wh.old", "usr/", "usr/lib/", "usr/lib/deep/",
                "usr/lib/deep/er",
            ])
    }

    @Test("two whole trees")
    func comparison() throws {
        try makeChanges()
        try trees.file(trees.upper / "usr" / "lib" / "x")
        var times = [try status(trees.lower / "usr/lib/x").st_mtim, try status(trees.lower / "usr/lib/x").st_mtim]
        utimensat(AT_FDCWD, (trees.upper / "usr/lib/x").string, &times, 0)
        #expect(
            try list(trees.comparison) == [
                "C /etc", "C /etc/changed", "A /etc/new", "D /etc/old", "C /usr", "C /usr/lib", "A /usr/lib/deep",
                "A /usr/lib/deep/er",
            ])
    }

    @Test("files with whole seconds as times are compared by content")
    func wholeSeconds() throws {
        for (tree, text) in [(trees.lower, "one"), (trees.upper, "two")] {
            for name in ["same", "different"] {
                try trees.file(tree / name, name == "same" ? "equal" : text)
                var times = [timespec(tv_sec: 1000, tv_nsec: 0), timespec(tv_sec: 1000, tv_nsec: 0)]
                utimensat(AT_FDCWD, (tree / name).string, &times, 0)
            }
        }
        #expect(try list(trees.comparison) == ["C /different"])
    }

    @Test("a directory that nothing happened in is no change, nor are unused mount points")
    func unchanged() throws {
        try trees.file(trees.lower / "etc" / "passwd")
        try makeDirectories(trees.upper / "etc")
        try makeDirectories(trees.upper / "proc")
        try trees.file(trees.upper / "etc" / "hosts", "")
        #expect(try list(trees.overlay) == [])
        #expect(try names(trees.overlay).filter { $0 != "./" } == [])
        try trees.file(trees.upper / "etc" / "hosts", "used")
        #expect(try list(trees.overlay) == ["C /etc", "A /etc/hosts"])
    }

    @Test("a whiteout of what is not there deletes nothing")
    func idleWhiteout() throws {
        try trees.whiteout(trees.upper / "never")
        #expect(try list(trees.overlay) == [])
    }

    @Test("an opaque directory hides what is below it", .enabled(if: geteuid() == 0))
    func opaque() throws {
        try trees.file(trees.lower / "d" / "old")
        try trees.file(trees.upper / "d" / "new")
        let path = (trees.upper / "d").string
        try sys("lsetxattr") { lsetxattr(path, "trusted.overlay.opaque", "y", 1, 0) }
        #expect(try list(trees.overlay) == ["C /d", "A /d/new", "D /d/old"])
        #expect(try names(trees.overlay).filter { $0 != "./" } == ["d/", "d/.wh..wh..opq", "d/new"])
    }

    @Test("a symbolic link in the place of a directory is not followed")
    func links() throws {
        try trees.file(trees.base / "other" / "secret")
        try trees.file(trees.lower / "d" / "x")
        try sys("symlink") { symlink((trees.base / "other").string, (trees.upper / "d").string) }
        #expect(try list(trees.overlay) == ["C /d"])
        let found = try entries(tar(trees.overlay)).filter { $0.displayPath != "./" }
        #expect(found.map(\.kind) == [.symbolicLink])
    }

    @Test("the same tree gives the same bytes, whatever the order it was made in")
    func deterministic() throws {
        for name in ["b", "a", "c/d", "c.", "c/a"] { try trees.file(trees.upper / name) }
        #expect(try tar(trees.overlay) == tar(trees.overlay))
        #expect(try names(trees.overlay).filter { $0 != "./" } == ["a", "b", "c/", "c/a", "c/d", "c."])
    }
}

@Suite("Trees as archives")
struct TreeWriterTests {
    private let trees: Trees

    init() throws { trees = try Trees() }

    private func archive() throws -> [UInt8] {
        var bytes: [UInt8] = []
        try writeTree(LayerStack(upper: trees.upper, lowers: []), to: FunctionSink { bytes += $0 })
        return bytes
    }

    @Test("every kind of node with its attributes")
    func nodes() throws {
        let upper = trees.upper
        try trees.file(upper / "file", "data")
        try sys("link") { link((upper / "file").string, (upper / "second").string) }
        try sys("symlink") { symlink("../target", (upper / "link").string) }
        try sys("mkfifo") { mkfifo((upper / "pipe").string, 0o644) }
        try sys("chmod") { chmod((upper / "file").string, 0o4755) }
        try sys("setxattr") { setxattr((upper / "file").string, "user.note", "v", 1, 0) }
        var times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1_700_000_000, tv_nsec: 987_654_321)]
        utimensat(AT_FDCWD, (upper / "file").string, &times, 0)
        let socket = try #require(socketAt(upper / "socket"))
        defer { close(socket) }
        let found = try entries(archive())
        #expect(found.map(\.displayPath) == ["file", "link", "pipe", "second"])
        #expect(found.map(\.kind) == [.regular, .symbolicLink, .fifo, .hardLink])
        #expect(found[0].mode == 0o4755 && found[0].size == 4)
        #expect(found[0].modified == .init(seconds: 1_700_000_000, nanoseconds: 987_654_321))
        #expect(found[0].extendedAttributes == [.init(name: Array("user.note".utf8), value: Array("v".utf8))])
        #expect(found[1].linkTarget == Array("../target".utf8) && found[3].linkTarget == Array("file".utf8))
    }

    private func socketAt(_ path: FilePath) -> CInt? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        return swrun_bind_unix(descriptor, path.string) == 0 ? descriptor : nil
    }

    @Test("names that are no text, and paths longer than a header's fields")
    func names() throws {
        let bytes: [CChar] = Array(trees.upper.string.utf8CString.dropLast()) + [0x2f, -1, -2, 0]
        try sys("mkdir") { mkdir(bytes, 0o755) }
        let long = String(repeating: "n", count: 200)
        try trees.file(trees.upper / long / long / "x")
        let found = try entries(archive())
        #expect(found.first { $0.path.first == 0xff }?.path == [0xff, 0xfe, 0x2f])
        #expect(found.contains { $0.displayPath == "\(long)/\(long)/x".prefix(256) })
    }

    @Test("unpacked again it is the same tree", arguments: [Compression.none, .gzip, .zstd])
    func roundTrip(_ compression: Compression) throws {
        let big = String(repeating: "0123456789abcdef", count: 100_000)
        try trees.file(trees.upper / "a" / "big", big)
        try trees.file(trees.upper / "a" / "empty", "")
        let sparse = try LinuxSystem.open(trees.upper / "sparse", O_WRONLY | O_CREAT, mode: 0o600)
        let fd = sparse.raw
        try sys("ftruncate") { ftruncate(fd, 3 << 20) }
        var bytes: [UInt8] = []
        let sink = try compressing(compression, into: FunctionSink { bytes += $0 })
        try writeTree(LayerStack(upper: trees.upper, lowers: []), to: sink)
        #expect(Compression(magic: bytes) == compression)
        let applier = try LayerApplier(
            directory: trees.base / "other", options: LayerOptions(preservesOwnership: false))
        let source = try decompressed(MemorySource(bytes))
        try applier.apply(source)
        try source.drain()
        #expect(try readText(trees.base / "other/a/big", limit: 1 << 22) == big)
        #expect(try status(trees.base / "other/sparse").st_size == 3 << 20)
        let difference = LayerDifference(
            from: LayerStack(upper: nil, lowers: [trees.upper]),
            to: LayerStack(upper: nil, lowers: [trees.base / "other"]))
        #expect(try difference.changes() == [])
    }
}
