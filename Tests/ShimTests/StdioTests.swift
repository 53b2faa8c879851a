// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Testing

@testable import Shim

@Suite("Stdio targets")
struct StdioTargetTests {
    @Test(
        "are understood",
        arguments: [
            ("", .none),
            ("/run/fifo/out", .path("/run/fifo/out")),
            ("/run/a:b", .path("/run/a:b")),
            ("fifo:///run/out", .path("/run/out")),
            ("file:///var/log/a%20b%25?x=1", .file("/var/log/a b%")),
            ("attach:///run/a.sock", .managed(ManagedOutput(attachPath: "/run/a.sock"))),
            ("json-file:///l", .managed(ManagedOutput(log: LogSettings(path: "/l")))),
            (
                "json-file:///l?max-size=1000&max-file=3&attach=/run/x%26y.sock",
                .managed(ManagedOutput(log: rotated, attachPath: "/run/x&y.sock"))
            ),
        ] as [(String, OutputTarget)])
    func valid(text: String, expected: OutputTarget) throws {
        #expect(try OutputTarget(parsing: text) == expected)
    }

    private static var rotated: LogSettings {
        var settings = LogSettings(path: "/l")
        settings.maximumBytes = 1000
        settings.maximumFiles = 3
        return settings
    }

    @Test(
        "are refused with a reason",
        arguments: [
            "binary:///bin/x", "npipe:////x", "json-file://relative", "json-file:///l?max-size=0",
            "json-file:///l?max-size=x", "json-file:///l?max-file=-1", "json-file:///l?color=red", "file://",
        ])
    func invalid(text: String) {
        #expect(throws: OutputTarget.InvalidTarget.self) { try OutputTarget(parsing: text) }
    }

    @Test("broken percent signs stay as they are", arguments: ["/a%", "/a%4", "/a%zz"])
    func percent(path: String) throws {
        #expect(try OutputTarget(parsing: "file://" + path) == .file(path))
    }
}

@Suite("json-file log")
struct JSONLogEncoderTests {
    @Test("a line has docker's form")
    func line() {
        #expect(
            encode("hello\n") == [#"{"log":"hello\n","stream":"stderr","time":"T"}"#])
    }

    @Test("every line carries the attributes")
    func attributes() {
        var encoder = JSONLogEncoder(stream: "stdout", attributes: #"{"a":"b"}"#)
        var output: [UInt8] = []
        encoder.encode(Array("x\n".utf8)[...], time: [84], into: &output)
        let text = String(decoding: output, as: UTF8.self)
        #expect(text == #"{"log":"x\n","stream":"stdout","attrs":{"a":"b"},"time":"T"}"# + "\n")
    }

    @Test(
        "characters are escaped as docker escapes them",
        arguments: [
            ("a\tb\r\u{1b}[0m\n", #"a\u0009b\r\u001b[0m\n"#),
            (#""\<>&"# + "\n", #"\"\\\u003c\u003e\u0026\n"#),
            ("grüße ☃ 𝄞\n", #"grüße ☃ 𝄞\n"#),
            ("\u{2028}\u{2029}\u{2027}\n", #"\u2028\u2029"# + "\u{2027}" + #"\n"#),
            ("\u{7f}\n", "\u{7f}" + #"\n"#),
        ])
    func escapes(text: String, expected: String) {
        #expect(encode(text) == [#"{"log":""# + expected + #"","stream":"stderr","time":"T"}"#])
    }

    @Test(
        "each byte that is not UTF-8 becomes a replacement",
        arguments: [
            ([0xFF, 0x61], #"\ufffda"#), ([0xC3], #"\ufffd"#), ([0xC0, 0x80], #"\ufffd\ufffd"#),
            ([0xED, 0xA0, 0x80], #"\ufffd\ufffd\ufffd"#), ([0xF4, 0x90, 0x80, 0x80], #"\ufffd\ufffd\ufffd\ufffd"#),
        ] as [([UInt8], String)])
    func invalid(bytes: [UInt8], expected: String) {
        #expect(encode(bytes + [10]) == [#"{"log":""# + expected + #"\n","stream":"stderr","time":"T"}"#])
    }

    @Test("entries do not depend on how the output arrives", arguments: [1, 2, 3, 7, 1000])
    func pieces(size: Int) {
        let bytes = Array("one\ntwo\n\nthree".utf8)
        var encoder = JSONLogEncoder(stream: "stdout")
        var output: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            encoder.encode(bytes[start..<min(start + size, bytes.count)], time: [84], into: &output)
        }
        encoder.finish(time: [84], into: &output)
        #expect(logs(output) == [#"one\n"#, #"two\n"#, #"\n"#, "three"])
    }

    @Test(
        "lines are split at 16 KiB",
        arguments: [(16383, [16384]), (16384, [16384, 1]), (16385, [16384, 2]), (40000, [16384, 16384, 7233])])
    func long(length: Int, expected: [Int]) {
        var encoder = JSONLogEncoder(stream: "stdout")
        var output: [UInt8] = []
        let bytes = [UInt8](repeating: 120, count: length) + [10]
        encoder.encode(bytes[...], time: [84], into: &output)
        // `\n` is one byte of output and two of JSON.
        let lengths = logs(output).map { $0.hasSuffix(#"\n"#) ? $0.utf8.count - 1 : $0.utf8.count }
        #expect(lengths == expected)
    }

    private func encode(_ text: String) -> [String] { encode(Array(text.utf8)) }

    private func encode(_ bytes: [UInt8]) -> [String] {
        var encoder = JSONLogEncoder(stream: "stderr")
        var output: [UInt8] = []
        encoder.encode(bytes[...], time: [84], into: &output)
        return String(decoding: output, as: UTF8.self).split(separator: "\n").map { String($0) }
    }

    /// The still escaped `log` values.
    private func logs(_ output: [UInt8]) -> [String] {
        String(decoding: output, as: UTF8.self).split(separator: "\n").map {
            String($0.dropFirst(8).prefix { $0 != "\"" })
        }
    }
}

@Suite("A log's files")
struct LogFileTests {
    @Test("keep their names while another has them locked, and the log goes on")
    func locked() throws {
        let directory = FilePath("/tmp/swrun-shim-log-test-\(monotonicNanoseconds())")
        try makeDirectory(directory)
        defer { _ = try? removeTree(directory) }
        let path = directory / "x.log"
        var settings = LogSettings(path: path.string)
        (settings.maximumBytes, settings.maximumFiles) = (1, 3)
        let log = try LogFile(settings)
        let line = Array("a line\n".utf8)
        log.append(1, line[...])
        try withLockedDirectory(directory) { () throws(SysError) in
            log.append(1, line[...])
            #expect(!exists(directory / "x.log.1"))
        }
        let both = try readFile(path)
        #expect(both.count { $0 == UInt8(ascii: "\n") } == 2)
        for _ in 0..<3 { log.append(1, line[...]) }
        #expect(try listDirectory(directory).sorted() == ["x.log", "x.log.1", "x.log.2"])
    }
}
