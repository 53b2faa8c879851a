// SPDX-License-Identifier: Apache-2.0
import Archive
import LinuxSystem
import Tar
import Testing

/// One archive that means harm, by name.
struct HostileTar: Sendable, CustomTestStringConvertible {
    enum Fate: Sendable { case refused, confined }

    let name: String
    let fate: Fate
    let bytes: [UInt8]

    init(_ name: String, _ fate: Fate, _ build: (inout TarBuilder) -> Void) {
        self.name = name
        self.fate = fate
        var builder = TarBuilder()
        build(&builder)
        bytes = builder.finished
    }

    var testDescription: String { name }
}

private func edited(_ edit: @escaping (inout [UInt8]) -> Void) -> (inout TarBuilder) -> Void {
    { $0.header("f", edit: edit) }
}

extension HostileTar {
    static let paths: [HostileTar] = [
        HostileTar("parent", .refused) { $0.file("../outside/secret") },
        HostileTar("parent after a name", .refused) { $0.file("a/../../outside/secret") },
        HostileTar("only parent", .refused) { $0.directory("..") },
        HostileTar("many parents", .refused) { $0.file(String(repeating: "../", count: 20) + "tmp/x") },
        HostileTar("absolute", .confined) { $0.file("/outside/secret") },
        HostileTar("double slash", .confined) { $0.file("//outside//secret") },
        HostileTar("inner parent", .confined) { $0.file("a/../b") },
        HostileTar("name of 4097 bytes", .refused) {
            $0.pax([("path", String(repeating: "a/", count: 2049))])
            $0.file("x")
        },
        HostileTar("component of 256 bytes", .refused) {
            $0.pax([("path", String(repeating: "a", count: 256))])
            $0.file("x")
        },
        HostileTar("empty name", .refused) { $0.file("") },
        HostileTar("NUL in a PAX path", .refused) {
            $0.pax([("path", "a\u{0}b")])
            $0.file("x")
        },
        HostileTar("PAX path leads out", .refused) {
            $0.pax([("path", "../outside/secret")])
            $0.file("x")
        },
        HostileTar("root as file", .refused) { $0.file(".") },
        HostileTar("root as symbolic link", .refused) { $0.symbolicLink("./", "../outside") },
        HostileTar("root as hard link", .refused) { $0.hardLink(".", "../outside/secret") },
    ]

    static let links: [HostileTar] = [
        HostileTar("symbolic link to parent, file through it", .confined) {
            $0.symbolicLink("a", "..")
            $0.file("a/outside/secret")
        },
        HostileTar("symbolic link to root, file through it", .confined) {
            $0.symbolicLink("a", "/")
            $0.file("a/x")
        },
        HostileTar("symbolic link to the outside directory, file through it", .refused) {
            $0.symbolicLink("a", "../outside")
            $0.file("a/secret")
        },
        HostileTar("symbolic link, then mode through it", .confined) {
            $0.symbolicLink("a", "../outside/secret")
            $0.header("a", "2", link: "../outside/secret", mode: 0o777)
        },
        HostileTar("symbolic link replaced by file", .confined) {
            $0.symbolicLink("a", "../outside/secret")
            $0.file("a")
        },
        HostileTar("symbolic link replaced by directory", .confined) {
            $0.symbolicLink("a", "../outside")
            $0.directory("a/")
            $0.file("a/secret")
        },
        HostileTar("chain of 41 symbolic links", .refused) {
            for index in 0..<41 { $0.symbolicLink("l\(index)", "l\(index + 1)") }
            $0.directory("l41/")
            $0.file("l0/x")
        },
        HostileTar("loop of symbolic links", .refused) {
            $0.symbolicLink("a", "b")
            $0.symbolicLink("b", "a")
            $0.file("a/x")
        },
        HostileTar("magic link", .refused) {
            $0.symbolicLink("a", "/proc/self/root")
            $0.file("a/x")
        },
        HostileTar("symbolic link without a target", .refused) { $0.symbolicLink("a", "") },
        HostileTar("hard link out", .refused) { $0.hardLink("a", "../outside/secret") },
        HostileTar("hard link to an absolute path", .refused) { $0.hardLink("a", "/etc/passwd") },
        HostileTar("hard link through a symbolic link", .refused) {
            $0.symbolicLink("s", "../outside")
            $0.hardLink("a", "s/secret")
        },
        HostileTar("hard link to a symbolic link, then written", .confined) {
            $0.symbolicLink("s", "../outside/secret")
            $0.hardLink("a", "s")
            $0.file("a", "changed")
        },
        HostileTar("hard link to nothing", .refused) { $0.hardLink("a", "nothing") },
        HostileTar("hard link to itself", .confined) {
            $0.file("a")
            $0.hardLink("a", "a")
        },
        HostileTar("hard link to the root", .refused) { $0.hardLink("a", ".") },
        HostileTar("PAX link path leads out", .refused) {
            $0.pax([("linkpath", "../outside/secret")])
            $0.hardLink("a", "b")
        },
    ]

    static let whiteouts: [HostileTar] = [
        HostileTar("whiteout of parent", .refused) { $0.file(".wh...") },
        HostileTar("whiteout of self", .refused) { $0.file(".wh..") },
        HostileTar("whiteout of nothing", .refused) { $0.file(".wh.") },
        HostileTar("file below a whiteout of parent", .refused) { $0.file(".wh.../x") },
        HostileTar("file below a whiteout", .refused) { $0.file(".wh.a/x") },
        HostileTar("whiteout through a symbolic link", .confined) {
            $0.symbolicLink("a", "../outside")
            $0.file("a/.wh.secret")
        },
        HostileTar("opaque marker as symbolic link", .confined) { $0.symbolicLink(".wh..wh..opq", "../outside") },
        HostileTar("AUFS bookkeeping", .confined) {
            $0.file(".wh..wh.plnk/12.34")
            $0.file(".wh..wh.aufs")
        },
    ]

    static let headers: [HostileTar] = [
        HostileTar(
            "negative size", .refused,
            edited { TarBuilder.put([0xff] + Array(repeating: 0xff, count: 11), 124, 12, &$0) }),
        HostileTar(
            "size without digits", .refused,
            edited { TarBuilder.put(Array("12a".utf8) + [0, 0, 0, 0, 0, 0, 0, 0, 0], 124, 12, &$0) }),
        HostileTar(
            "size beyond Int64", .refused,
            edited { TarBuilder.put([0x80, 0, 0, 0xff] + Array(repeating: 0xff, count: 8), 124, 12, &$0) }),
        HostileTar("PAX size negative", .refused) {
            $0.pax([("size", "-1")])
            $0.file("x")
        },
        HostileTar("PAX size 8 EiB", .refused) {
            $0.pax([("size", "9223372036854775807")])
            $0.file("x")
        },
        HostileTar("PAX size beyond Int64", .refused) {
            $0.pax([("size", "9223372036854775808")])
            $0.file("x")
        },
        HostileTar("uid 2^40", .refused) {
            $0.pax([("uid", "1099511627776")])
            $0.file("x")
        },
        HostileTar("uid -1", .refused) {
            $0.pax([("uid", "-1")])
            $0.file("x")
        },
        HostileTar("uid 2^32-1", .refused) {
            $0.pax([("uid", "4294967295")])
            $0.file("x")
        },
        HostileTar("mtime -2^62", .confined) {
            $0.pax([("mtime", "-4611686018427387904")])
            $0.file("x")
        },
        HostileTar("mtime 2^62", .confined) {
            $0.pax([("mtime", "4611686018427387904.5")])
            $0.file("x")
        },
        HostileTar("mtime without digits", .refused) {
            $0.pax([("mtime", "soon")])
            $0.file("x")
        },
        HostileTar("PAX record too long for its header", .refused) {
            $0.paxRaw(Array("99 path=x\n".utf8))
            $0.file("x")
        },
        HostileTar("PAX record of length 0", .refused) {
            $0.paxRaw(Array("0 path=x\n".utf8))
            $0.file("x")
        },
        HostileTar("PAX record of negative length", .refused) {
            $0.paxRaw(Array("-9 path=x\n".utf8))
            $0.file("x")
        },
        HostileTar("PAX record without a newline", .refused) {
            $0.paxRaw(Array("9 path=xy".utf8))
            $0.file("x")
        },
        HostileTar("PAX record without an equals sign", .refused) {
            $0.paxRaw(Array("9 pathxy\n".utf8))
            $0.file("x")
        },
        HostileTar("PAX header of 1 GiB", .refused) { $0.header("x", "x", size: 1 << 30) },
        HostileTar("GNU long name of 1 GiB", .refused) { $0.header("././@LongLink", "L", size: 1 << 30) },
        HostileTar("GNU long name leads out", .refused) {
            $0.header("././@LongLink", "L", size: 18)
            $0.data(Array("../outside/secret\u{0}".utf8))
            $0.file("x")
        },
        HostileTar("sparse file of 8 EiB", .refused) {
            $0.pax([("GNU.sparse.map", "0,1"), ("GNU.sparse.size", "9223372036854775807")])
            $0.file("x")
        },
        HostileTar("sparse map beyond the file", .refused) {
            $0.pax([("GNU.sparse.map", "10,1"), ("GNU.sparse.size", "5")])
            $0.file("x")
        },
        HostileTar("sparse map backwards", .refused) {
            $0.pax([("GNU.sparse.map", "10,1,0,1"), ("GNU.sparse.size", "50")])
            $0.header("x", size: 2)
            $0.data([1, 2])
        },
        HostileTar("sparse map that overflows", .refused) {
            $0.pax([("GNU.sparse.map", "9223372036854775800,100"), ("GNU.sparse.size", "9223372036854775807")])
            $0.file("x")
        },
        HostileTar("sparse map with more data than there is", .refused) {
            $0.pax([("GNU.sparse.map", "0,1000"), ("GNU.sparse.size", "5000")])
            $0.file("x")
        },
        HostileTar("sparse map 1.0 of 2^60 entries", .refused) {
            $0.pax([("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "10")])
            $0.header("x", size: 512)
            $0.data(Array("1152921504606846976\n".utf8) + [UInt8](repeating: 0, count: 492))
        },
        HostileTar("unknown type", .refused) { $0.header("x", "Z") },
        HostileTar("bad checksum", .refused) {
            $0.file("x")
            $0.header("y")
            $0.data([])
        }.corrupted(at: 1024),
        HostileTar("data after one zero block", .refused) {
            $0.data([UInt8](repeating: 0, count: 512))
            $0.file("x")
        },
        HostileTar("device number out of range", .refused) {
            $0.header("x", "3") { TarBuilder.put(Array("7777777\u{0}".utf8), 329, 8, &$0) }
        },
        HostileTar("extended attribute with a name of 300 bytes", .refused) {
            $0.pax([("SCHILY.xattr.user." + String(repeating: "n", count: 300), "v")])
            $0.file("x")
        },
        HostileTar("sparse size without a map", .refused) {
            $0.pax([("GNU.sparse.realsize", "100")])
            $0.file("x")
        },
        HostileTar("5000 extended attributes", .refused) {
            $0.pax((0..<5000).map { ("SCHILY.xattr.user.\($0)", "v") })
            $0.file("x")
        },
        HostileTar("case pairs and duplicates", .confined) {
            for name in ["a", "A", "a", "A"] { $0.file(name) }
        },
    ]

    fileprivate func corrupted(at offset: Int) -> HostileTar {
        var copy = bytes
        copy[offset] ^= 1
        return HostileTar(name: name, fate: fate, bytes: copy)
    }

    private init(name: String, fate: Fate, bytes: [UInt8]) {
        self.name = name
        self.fate = fate
        self.bytes = bytes
    }
}

@Suite("Hostile archives")
struct HostileTarTests {
    @Test(
        "are refused or stay inside",
        arguments: [HostileTar.paths, HostileTar.links, HostileTar.whiteouts, HostileTar.headers].flatMap { $0 })
    func contained(_ tar: HostileTar) throws {
        let fixture = try LayerFixture()
        let error = fixture.attempt(tar.bytes)
        #expect(fixture.isOutsideUntouched)
        #expect((error != nil) == (tar.fate == .refused), "\(error ?? "accepted")")
    }

    @Test("cut anywhere, an archive is refused and stays inside")
    func truncated() throws {
        var builder = TarBuilder()
        builder.pax([("path", "renamed")])
        builder.file("f", String(repeating: "x", count: 1500))
        builder.symbolicLink("s", "../outside")
        builder.hardLink("h", "renamed")
        let whole = builder.finished
        for length in stride(from: 1, to: builder.bytes.count, by: 256) {
            let fixture = try LayerFixture()
            let error = fixture.attempt(Array(whole[..<length]))
            #expect(fixture.isOutsideUntouched)
            // Between two entries a cut cannot be told from an archive without an end mark.
            if length % 512 != 0 { #expect(error != nil) }
        }
    }

    @Test("single flipped bits never lead outside, nor to a crash")
    func flipped() throws {
        var builder = TarBuilder()
        builder.pax([("path", "../outside/secret"), ("size", "3")])
        builder.file("f", "abc")
        for index in stride(from: 0, to: builder.bytes.count * 8, by: 31) {
            var bytes = builder.finished
            bytes[index / 8] ^= 1 << UInt8(index % 8)
            let fixture = try LayerFixture()
            _ = fixture.attempt(bytes)
            #expect(fixture.isOutsideUntouched)
        }
    }
}
