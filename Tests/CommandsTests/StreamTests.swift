// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
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
        var keys = try DetachKeys(option: "")
        #expect(keys.pass([97, 16]) == ([97], false))
        #expect(keys.pass([98]) == ([16, 98], false))
        #expect(keys.pass([16, 16]) == ([16], false))
        #expect(keys.pass([17]) == ([], true))
        #expect(keys.pass([9, 16, 17]) == ([9], true), "what comes after the end begins anew")
    }

    @Test(
        "detach keys are read as docker writes them",
        arguments: [
            ("ctrl-a,b", [1, 98] as [UInt8]), ("ctrl-@", [0]), ("ctrl-],ctrl-_", [29, 31]),
        ])
    func detachSyntax(_ text: String, _ sequence: [UInt8]) throws {
        var keys = try DetachKeys(option: text)
        #expect(keys.pass(sequence).isDetached)
    }

    @Test("unknown detach keys are refused", arguments: ["ctrl-", "ctrl-1", "ab", "ctrl-a,,b"])
    func badDetachKeys(_ text: String) {
        #expect(throws: CommandFailure.self) { _ = try DetachKeys(option: text) }
    }
}

@Suite("Places of cp")
struct CopyPlaceTests {
    @Test(
        "places are containers or paths",
        arguments: [
            ("c:/x", CopyPlace.container(id: "c", path: "/x")), ("./a:b", .local("./a:b")), ("/a:b", .local("/a:b")),
            ("-", .local("-")), ("plain", .local("plain")), ("c:", .container(id: "c", path: "")),
        ])
    func places(_ text: String, _ place: CopyPlace) { #expect(CopyPlace(text) == place) }
}
