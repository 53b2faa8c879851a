// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Commands

@Suite("Attached streams")
struct StreamTests {
    private let wire: [UInt8] =
        [1, 0, 0, 0, 0, 0, 0, 3] + Array("out".utf8) + [2, 0, 0, 0, 0, 0, 0, 4] + Array("err\n".utf8)

    @Test("frames are split wherever the pieces break", arguments: [1, 2, 3, 7, 8, 9, 100])
    func frames(_ size: Int) throws {
        var decoder = FrameDecoder()
        var (out, err): ([UInt8], [UInt8]) = ([], [])
        var rest = wire[...]
        while !rest.isEmpty {
            for piece in try decoder.decode(Array(rest.prefix(size))) {
                if piece.stream == 1 { out += piece.bytes } else { err += piece.bytes }
            }
            rest = rest.dropFirst(size)
        }
        #expect(String(decoding: out, as: UTF8.self) == "out")
        #expect(String(decoding: err, as: UTF8.self) == "err\n")
    }

    @Test("what is no frame is an error")
    func malformed() {
        var decoder = FrameDecoder()
        #expect(throws: FrameDecoder.Malformed.self) { try decoder.decode(Array("HTTP/1.1".utf8)) }
    }

    @Test("an incomplete detach sequence goes to the container")
    func detachKeys() throws {
        var keys = try DetachKeys("")
        #expect(keys.filter([97, 16]) == ([97], false))
        #expect(keys.filter([98]) == ([16, 98], false))
        #expect(keys.filter([16, 16]) == ([16], false))
        #expect(keys.filter([17]) == ([], true))
    }

    @Test(
        "detach keys are read as docker writes them",
        arguments: [
            ("ctrl-a,b", [1, 98] as [UInt8]), ("ctrl-@", [0]), ("ctrl-],ctrl-_", [29, 31]),
        ])
    func detachSyntax(_ text: String, _ sequence: [UInt8]) throws {
        var keys = try DetachKeys(text)
        #expect(keys.filter(sequence).isComplete)
    }

    @Test("unknown detach keys are refused", arguments: ["ctrl-", "ctrl-1", "ab", "ctrl-a,,b"])
    func badDetachKeys(_ text: String) {
        #expect(throws: CommandFailure.self) { _ = try DetachKeys(text) }
    }

    @Test(
        "base64 goes both ways",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("{}", "e30="),
            ("user:pa ss>?", "dXNlcjpwYSBzcz4/"),
        ])
    func base64(_ text: String, _ encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(text.utf8))
    }
}

@Suite("Tar headers")
struct TarTests {
    @Test("what is written is read again", arguments: ["short", "dir/" + String(repeating: "long", count: 60)])
    func roundTrip(_ name: String) throws {
        var header = TarHeader()
        header.name = name
        header.mode = 0o755
        header.size = 5
        header.modified = 1_700_000_000
        var archive = header.blocks + Array("hello".utf8) + TarHeader.padding(5) + [UInt8](repeating: 0, count: 1024)
        let reader = TarReader {
            if archive.isEmpty { return nil }
            let piece = Array(archive.prefix(700))
            archive.removeFirst(piece.count)
            return piece
        }
        let entry = try #require(try reader.entry())
        #expect(entry.name == name && entry.mode == 0o755 && entry.modified == 1_700_000_000)
        var content: [UInt8] = []
        while let bytes = try reader.content() { content += bytes }
        #expect(String(decoding: content, as: UTF8.self) == "hello")
        #expect(try reader.entry() == nil)
    }

    @Test("a damaged header is refused")
    func damaged() {
        var block = TarHeader().blocks
        block[0] = 1
        #expect(throws: CommandFailure.self) { _ = try TarHeader(block: block) }
    }

    @Test(
        "places are containers or paths",
        arguments: [
            ("c:/x", CopyPlace.container(id: "c", path: "/x")), ("./a:b", .local("./a:b")), ("/a:b", .local("/a:b")),
            ("-", .local("-")), ("plain", .local("plain")), ("c:", .container(id: "c", path: "")),
        ])
    func places(_ text: String, _ place: CopyPlace) { #expect(CopyPlace(text) == place) }
}
