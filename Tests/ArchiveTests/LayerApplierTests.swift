// SPDX-License-Identifier: Apache-2.0
import Archive
import CLinux
import LinuxSystem
import Tar
import Testing

@Suite("Unpacking layers")
struct LayerApplierTests {
    let fixture: LayerFixture

    init() throws { fixture = try LayerFixture() }

    private func layer(_ build: (inout TarBuilder) -> Void) -> [UInt8] {
        var builder = TarBuilder()
        build(&builder)
        return builder.finished
    }

    @Test("makes files, directories and links with their attributes")
    func basics() throws {
        try fixture.apply(
            layer {
                $0.directory("./")
                $0.directory("d/")
                $0.file("d/f", "hello", mode: 0o4755)
                $0.symbolicLink("s", "../../d/f")
                $0.hardLink("h", "d/f")
                $0.header("p", "6", mode: 0o600)
            })
        #expect(try fixture.text("d/f") == "hello")
        let info = try status(fixture.root / "d/f")
        #expect(info.st_mode & 0o7777 == 0o4755)
        #expect(info.st_nlink == 2)
        #expect(info.st_mtim.tv_sec == 1_700_000_000)
        #expect(try status(fixture.root / "d").st_mtim.tv_sec == 1_700_000_000)
        #expect(try isSymbolicLink(status(fixture.root / "s", follow: false)))
    }

    @Test("gives every node exactly its mode, whatever it gets from its directory", arguments: [0o700, 0o750, 0o777])
    func modes(mode: Int) throws {
        try fixture.apply(
            layer {
                $0.header("shared/", "5", mode: 0o2777)
                $0.header("shared/d/", "5", mode: mode)
                $0.file("shared/d/f", "x", mode: mode)
                $0.header("shared/d/p", "6", mode: mode)
                $0.header("shared/d/", "5", mode: mode | 0o1000)
            })
        #expect(try status(fixture.root / "shared").st_mode & 0o7777 == 0o2777)
        #expect(try status(fixture.root / "shared/d").st_mode & 0o7777 == mode_t(mode | 0o1000))
        #expect(try status(fixture.root / "shared/d/f").st_mode & 0o7777 == mode_t(mode))
        #expect(try status(fixture.root / "shared/d/p").st_mode & 0o7777 == mode_t(mode))
    }

    @Test("the hint to spread directories does not outlive the unpacking, not even one that fails")
    func hints() throws {
        var options = LayerOptions(preservesOwnership: false)
        options.spreadsDirectories = true
        for isWhole in [true, false] {
            let archive = layer {
                $0.directory("a/")
                $0.file("a/b/c/f", "x")
                $0.directory("a/d/")
            }
            let bytes = isWhole ? archive : Array(archive.dropLast(1024 + 200))
            let applier = try LayerApplier(directory: fixture.root, options: options)
            do { try applier.apply(MemorySource(bytes)) } catch { #expect(!isWhole) }
            #expect(try fixture.text("a/b/c/f") == "x")
            for path in ["", "a", "a/b", "a/b/c"] {
                let directory = try open(fixture.root / path, O_RDONLY | O_DIRECTORY)
                let isLeft = spreadSubdirectories(of: directory, false)
                #expect(!isLeft)
            }
        }
    }

    @Test("makes directories that the archive only implies")
    func implied() throws {
        try fixture.apply(layer { $0.file("a/b/c/f", "x") })
        #expect(try fixture.text("a/b/c/f") == "x")
    }

    @Test("a later entry replaces an earlier one of another kind")
    func replacement() throws {
        try fixture.apply(
            layer {
                $0.file("x", "1")
                $0.directory("x/")
                $0.file("x/inside", "2")
                $0.file("y", "1")
                $0.symbolicLink("y", "x")
                $0.file("y", "3")
            })
        #expect(try fixture.text("x/inside") == "2")
        #expect(try fixture.text("y") == "3")
        try fixture.apply(layer { $0.file("x", "4") })
        #expect(try fixture.text("x") == "4")
    }

    @Test("takes names and attributes from PAX headers")
    func pax() throws {
        let long = String(repeating: "n", count: 200)
        try fixture.apply(
            layer {
                $0.pax([("path", long), ("size", "5"), ("mtime", "1600000000.25"), ("SCHILY.xattr.user.k", "v")])
                $0.header("short", size: 0)
                $0.data(Array("hello".utf8))
            })
        #expect(try fixture.text(long) == "hello")
        let info = try status(fixture.root / long)
        #expect(info.st_mtim.tv_sec == 1_600_000_000)
        #expect(info.st_mtim.tv_nsec == 250_000_000)
    }

    @Test("takes long names from GNU headers")
    func gnu() throws {
        let long = String(repeating: "d/", count: 60) + "f"
        try fixture.apply(
            layer {
                $0.header("././@LongLink", "L", size: long.utf8.count + 1)
                $0.data(Array(long.utf8) + [0])
                $0.file("cut", "x")
            })
        #expect(try fixture.text(long) == "x")
    }

    @Test("keeps holes of sparse files, in all of GNU's forms")
    func sparse() throws {
        let (offset, size) = (1 << 20, 2 << 20)
        let map10 = "1\n\(offset)\n4\n"
        try fixture.apply(
            layer {
                $0.pax([("GNU.sparse.map", "\(offset),4"), ("GNU.sparse.size", "\(size)"), ("GNU.sparse.name", "a")])
                $0.header("x", size: 4)
                $0.data(Array("data".utf8))
                $0.pax([
                    ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "\(size)"),
                    ("GNU.sparse.name", "b"),
                ])
                $0.header("x", size: 516)
                $0.data(Array(map10.utf8) + [UInt8](repeating: 0, count: 512 - map10.utf8.count))
                $0.data(Array("data".utf8))
                $0.header("c", "S", size: 4) { block in
                    TarBuilder.put(Array("ustar  \u{0}".utf8), 257, 8, &block)
                    TarBuilder.put(TarBuilder.octal(offset, 11), 386, 12, &block)
                    TarBuilder.put(TarBuilder.octal(4, 11), 398, 12, &block)
                    TarBuilder.put(TarBuilder.octal(size, 11), 483, 12, &block)
                }
                $0.data(Array("data".utf8))
            })
        for name in ["a", "b", "c"] {
            let info = try status(fixture.root / name)
            #expect(info.st_size == size)
            #expect(info.st_blocks < 1000)
            let bytes = try readFile(fixture.root / name)
            #expect(Array(bytes[offset..<(offset + 4)]) == Array("data".utf8))
        }
    }

    @Test("keeps names that are not UTF-8")
    func bytes() throws {
        try fixture.apply(layer { $0.header("?", edit: { $0[0] = 0xff }) })
        #expect(try listDirectory(fixture.root).count == 1)
    }

    @Test("drops attributes that have a meaning for the host")
    func attributes() throws {
        try fixture.apply(
            layer {
                $0.pax([
                    ("SCHILY.xattr.trusted.overlay.opaque", "y"), ("SCHILY.xattr.user.overlay.opaque", "y"),
                    ("SCHILY.xattr.trusted.x", "y"), ("SCHILY.xattr.security.selinux", "y"),
                ])
                $0.header("d/", "5", mode: 0o755)
            })
        #expect(listxattr((fixture.root / "d").string, nil, 0) <= 0)
    }

    @Test("stops at the limit")
    func limit() {
        #expect(throws: ArchiveError.self) {
            try fixture.apply(layer { $0.file("f", String(repeating: "x", count: 2000)) }, maximumBytes: 1000)
        }
    }
}
