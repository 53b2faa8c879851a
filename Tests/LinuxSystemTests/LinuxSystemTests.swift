// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import Testing

/// A directory that is removed when the test ends.
struct TemporaryDirectory: ~Copyable {
    let path: FilePath

    init() throws {
        path = FilePath("/tmp/swrun-unit-\(getpid())-\(monotonicNanoseconds())")
        try makeDirectory(path, mode: 0o700)
    }

    deinit { try? removeTree(path) }
}

@Suite("Paths")
struct FilePathTests {
    @Test(
        "joining never loses the base",
        arguments: [
            ("/a", "b", "/a/b"), ("/a/", "b", "/a/b"), ("/a", "/b/c", "/a/b/c"), ("", "b", "b"), ("/", "b", "/b"),
        ])
    func joining(_ base: String, _ component: String, _ expected: String) {
        #expect((FilePath(base) / component).string == expected)
    }

    @Test(
        "normalising is lexical",
        arguments: [
            ("/a/../b", "/b"), ("/..", "/"), ("a/./b//c", "a/b/c"), ("../a", "../a"), ("a/..", "."),
            ("/a/b/../../..", "/"),
        ])
    func normalising(_ path: String, _ expected: String) {
        #expect(FilePath(path).normalized.string == expected)
    }

    @Test(
        "parent and last component",
        arguments: [("/a/b", "/a", "b"), ("/a", "/", "a"), ("a", ".", "a"), ("/", "/", "")])
    func parents(_ path: String, _ parent: String, _ last: String) {
        #expect(FilePath(path).parent.string == parent)
        #expect(FilePath(path).lastComponent == last)
    }
}

@Suite("Timestamps")
struct TimestampTests {
    @Test(
        "RFC 3339 with as many digits as needed",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_500_000_000, "1970-01-01T00:00:01.5Z"),
            (951_782_400_000_000_001, "2000-02-29T00:00:00.000000001Z"), (-1, "1969-12-31T23:59:59.999999999Z"),
        ] as [(Int64, String)])
    func formatting(_ nanoseconds: Int64, _ expected: String) {
        #expect(Timestamp(nanoseconds: nanoseconds).rfc3339() == expected)
        #expect(Timestamp(rfc3339: expected)?.nanoseconds == nanoseconds)
    }

    @Test("offsets are applied")
    func offsets() {
        #expect(Timestamp(rfc3339: "2026-01-01T02:00:00+02:00")?.rfc3339() == "2026-01-01T00:00:00Z")
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", "2026", "2026-13-01T00:00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00+2",
            "2262-04-11T23:47:16.9Z", "9999-12-31T23:59:59Z",
        ])
    func malformed(_ text: String) { #expect(Timestamp(rfc3339: text) == nil) }
}

@Suite("Files")
struct FileTests {
    @Test("an atomic write replaces the file and leaves nothing else")
    func atomicWrite() throws {
        let directory = try TemporaryDirectory()
        let file = directory.path / "state.json"
        try writeFileAtomically(file, Array("one".utf8))
        try writeFileAtomically(file, Array("two".utf8))
        #expect(try readText(file) == "two")
        #expect(try listDirectory(directory.path) == ["state.json"])
    }

    @Test("reading is bounded")
    func bounded() throws {
        let directory = try TemporaryDirectory()
        let file = directory.path / "big"
        try writeFileAtomically(file, [UInt8](repeating: 1, count: 100))
        #expect(throws: SysError.self) { try readFile(file, limit: 99) }
    }

    @Test("a symbolic link cannot lead out of a root")
    func inRoot() throws {
        let directory = try TemporaryDirectory()
        try makeDirectory(directory.path / "etc")
        try writeFileAtomically(directory.path / "etc/passwd", Array("inside".utf8))
        #expect(symlink("/etc/passwd", (directory.path / "link").string) == 0)
        #expect(symlink("../../../../etc/passwd", (directory.path / "up").string) == 0)
        let root = try open(directory.path, O_RDONLY | O_DIRECTORY)
        for name in ["link", "up", "../../etc/passwd"] {
            #expect(try readAll(try openInRoot(root, name, O_RDONLY), limit: 100) == Array("inside".utf8))
        }
    }

    @Test("a tree is removed without following links")
    func removal() throws {
        let directory = try TemporaryDirectory()
        try makeDirectories(directory.path / "a/b/c")
        try writeFileAtomically(directory.path / "kept", [])
        #expect(symlink((directory.path / "kept").string, (directory.path / "a/link").string) == 0)
        try removeTree(directory.path / "a")
        #expect(try listDirectory(directory.path) == ["kept"])
        try removeTree(directory.path / "a")
    }
}

@Suite("Unix sockets")
struct UnixSocketTests {
    @Test("a path longer than sun_path works for both sides")
    func longPath() throws {
        let directory = try TemporaryDirectory()
        let deep = directory.path / String(repeating: "d", count: 100) / "socket"
        try makeDirectory(deep.parent)
        let listener = try UnixSocket.listen(deep, mode: 0o660)
        #expect(try status(deep).st_mode & 0o777 == 0o660)
        let client = try UnixSocket.connect(deep)
        let server = try UnixSocket.accept(listener)
        try writeAll(client, [1, 2, 3])
        #expect(try readSome(server, upTo: 10) == [1, 2, 3])
    }
}

@Suite("Starting programs")
struct SpawnTests {
    @Test("the exit code comes back, and only stdio is inherited")
    func spawn() throws {
        let null = try open(FilePath("/dev/null"), O_RDWR)
        let output = try Pipe()
        let script = "ls /proc/self/fd | wc -l; exit 7"
        let command = Spawn(FilePath("/bin/sh"), ["-c", script], environment: ["PATH=/usr/bin:/bin"])
        let pid = try command.start(stdin: null.raw, stdout: output.write.raw, stderr: null.raw)
        var status: CInt = 0
        #expect(waitpid(pid, &status, 0) == pid)
        #expect(swrun_wexitstatus(status) == 7)
        let text = String(decoding: try readSome(output.read, upTo: 100), as: UTF8.self)
        #expect(text.contains("4"))  // 0, 1, 2 and the directory that ls itself reads
    }

    @Test("a missing program is an error with its errno")
    func missing() throws {
        let null = try open(FilePath("/dev/null"), O_RDWR)
        #expect(throws: SysError("exec", "/nonexistent", .noSuchFile)) {
            try Spawn(FilePath("/nonexistent"), []).start(stdin: null.raw, stdout: null.raw, stderr: null.raw)
        }
    }
}

@Suite("Removing trees")
struct TreeRemovalTests {
    @Test("names that are no text, links out of the tree, and depths beyond any path")
    func anything() throws {
        let base = FilePath("/tmp/swrun-test-removal-\(getpid())")
        try makeDirectories(base / "tree")
        try makeDirectory(base / "kept")
        var directory = try LinuxSystem.open(base / "tree", O_RDONLY | O_DIRECTORY)
        let name = String(repeating: "d", count: 200)
        for level in 0..<60 {
            #expect(mkdirat(directory.raw, name, 0o700) == 0)
            #expect(symlinkat("/tmp", directory.raw, "link") == 0)
            #expect(mkdirat(directory.raw, [0x66, -1, CChar(-3 - level), 0] as [CChar], 0o700) == 0)
            #expect(symlinkat("../../kept", directory.raw, ".removing-\(level)") == 0)
            directory = try openAt(directory, name, O_RDONLY | O_DIRECTORY)
        }
        try removeTree(base / "tree")
        #expect(!exists(base / "tree") && exists(base / "kept"))
        try removeTree(base)
        #expect(!exists(base))
        try removeTree(base)  // nothing to do is fine
    }
}
