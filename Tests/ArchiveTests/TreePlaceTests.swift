// SPDX-License-Identifier: Apache-2.0
import Archive
import CLinux
import LinuxSystem
import Tar
import Testing

@Suite("Places in trees that others change")
struct TreePlaceTests {
    let fixture: LayerFixture

    init() throws {
        fixture = try LayerFixture()
        var builder = TarBuilder()
        builder.file("a/b/f", "content", mode: 0o640)
        builder.hardLink("a/b/h", "a/b/f")
        builder.symbolicLink("a/l", "b/./f")
        builder.symbolicLink("up", "../../../a/../a")
        builder.symbolicLink("out", "/../../outside")
        builder.symbolicLink("chain", "up/l")
        builder.symbolicLink("loop", "loop")
        builder.symbolicLink("lost", "a/no/such")
        try fixture.apply(builder.finished)
    }

    private func root() throws -> OwnedFD { try open(fixture.root, O_PATH | O_DIRECTORY) }

    private func archive(_ path: String) throws -> [String] {
        var bytes: [UInt8] = []
        try TreePlace(root(), path).write(to: FunctionSink { bytes += $0 })
        let reader = TarReader(MemorySource(bytes))
        var names: [String] = []
        while let entry = try reader.next() {
            names.append(
                String(decoding: entry.path + (entry.kind == .hardLink ? [0x3d] + entry.linkTarget : []), as: UTF8.self)
            )
        }
        return names
    }

    @Test(
        "an archive begins with the path's own last component",
        arguments: [
            ("/a/b/f", ["f"]), ("a/b", ["b/", "b/f", "b/h=b/f"]), ("/a/b/", ["b/", "b/f", "b/h=b/f"]),
            ("/a/b/.", ["./", "./f", "./h=./f"]), ("/up", ["up"]), ("/up/b", ["b/", "b/f", "b/h=b/f"]),
            ("/../../a/l", ["l"]),
        ])
    func names(path: String, entries: [String]) throws {
        #expect(try archive(path) == entries)
    }

    @Test("the root keeps its slash")
    func rootName() throws {
        let names = try archive("/")
        #expect(names.first == "/" && names.contains("/a/b/f"))
    }

    @Test(
        "what is not there",
        arguments: [("/no", Errno.noSuchFile), ("/a/b/f/x", .notDirectory), ("/out/secret", .noSuchFile)])
    func missing(path: String, errno: Errno) throws {
        let root = try root()
        #expect { _ = try TreePlace(root, path) } throws: { ($0 as? SysError)?.errno == errno }
    }

    @Test(
        "links are resolved inside the root, as far as there is something",
        arguments: [
            ("a/l", "/a/b/f"), ("up", "/a"), ("out", "/outside"), ("chain", "/a/b/f"), ("lost", "/a/no/such"),
        ])
    func targets(path: String, target: String) throws {
        #expect(try linkTarget(root(), try EntryPath(Array(path.utf8))) == target)
    }

    @Test("a loop of links has an end")
    func loop() throws {
        let root = try root()
        #expect(throws: SysError.self) { try linkTarget(root, EntryPath(components: [Array("loop".utf8)])) }
    }
}

@Suite("Archives that are no layers")
struct LiteralArchiveTests {
    let fixture: LayerFixture

    init() throws { fixture = try LayerFixture() }

    private func apply(_ base: String = "", keepsKinds: Bool = false, _ build: (inout TarBuilder) -> Void) throws {
        var builder = TarBuilder()
        build(&builder)
        var options = LayerOptions(whiteouts: .literal, preservesOwnership: false)
        (options.crossesMounts, options.keepsKinds) = (true, keepsKinds)
        let applier = LayerApplier(
            root: try open(fixture.root, O_PATH | O_DIRECTORY), base: try EntryPath(Array(base.utf8)), options: options)
        try applier.apply(MemorySource(builder.finished))
    }

    @Test("go below a base, whose links lead anywhere in the root")
    func base() throws {
        try apply {
            $0.directory("base/")
            $0.directory("elsewhere/")
            $0.symbolicLink("base/link", "/elsewhere")
        }
        try apply("base") {
            $0.file("link/f", "x")
            $0.file("deep/er/g", "y")
        }
        #expect(try fixture.text("elsewhere/f") == "x")
        #expect(try fixture.text("base/deep/er/g") == "y")
        #expect(fixture.isOutsideUntouched)
    }

    @Test("have names that look like whiteouts, and an entry for the root that changes nothing")
    func names() throws {
        let before = try status(fixture.root).st_mode
        try apply {
            $0.header("./", "5", mode: 0o1777)
            $0.file(".wh.x")
            $0.file(".wh..wh..opq")
            $0.file(".wh.d/f")
        }
        #expect(fixture.exists(".wh.x") && fixture.exists(".wh..wh..opq") && fixture.exists(".wh.d/f"))
        #expect(try status(fixture.root).st_mode == before)
    }

    @Test("replace kinds only if they may")
    func kinds() throws {
        try apply {
            $0.directory("d/")
            $0.file("d/inside")
            $0.file("f")
        }
        #expect { try apply(keepsKinds: true) { $0.file("d") } } throws: {
            "\($0)".contains("cannot overwrite directory \"/d\" with non-directory \"d\"")
        }
        #expect { try apply(keepsKinds: true) { $0.directory("f/") } } throws: {
            "\($0)".contains("cannot overwrite non-directory \"/f\" with directory \"f/\"")
        }
        try apply(keepsKinds: true) {
            $0.file("f", "new")
            $0.directory("d/")
        }
        #expect(try fixture.text("f") == "new" && fixture.exists("d/inside"))
        try apply {
            $0.file("d", "a file now")
            $0.directory("f/")
        }
        #expect(try fixture.text("d") == "a file now")
    }

    @Test("may imply directories of any depth")
    func depth() throws {
        let path = String(repeating: "d/", count: 1900) + "x"
        try apply {
            $0.pax([("path", path)])
            $0.file("x")
        }
        #expect { try apply { $0.file("d") } } throws: { "\($0)".contains("nested directories") }
    }
}
