// SPDX-License-Identifier: Apache-2.0
import CLinux
import DockerAPI
import JSON
import LinuxSystem
import Logging
import Testing

@testable import Engine

@Suite("Reading a json-file log")
struct ContainerLogTests {
    /// Three lines in the rotated file, three in the present one; the second of each is of stderr.
    private func withLog(_ body: (FilePath) async throws -> Void) async throws {
        let directory = FilePath("/tmp/swrun-log-test-\(monotonicNanoseconds())")
        try makeDirectory(directory)
        func line(_ number: Int) -> String {
            let stream = number % 3 == 1 ? "stderr" : "stdout"
            return #"{"log":"line \#(number)\n","stream":"\#(stream)","time":"2026-01-01T00:00:0\#(number).5Z"}"# + "\n"
        }
        let path = directory / "x-json.log"
        let old = FilePath(path.string + ".1")
        try writeFileAtomically(old, Array((0..<3).map(line).joined().utf8))
        try writeFileAtomically(path, Array(((3..<6).map(line).joined() + #"{"log":"torn"#).utf8))
        do { try await body(path) } catch {
            try removeTree(directory)
            throw error
        }
        try removeTree(directory)
    }

    private func read(_ path: FilePath, _ change: (inout LogRequest) -> Void) async throws -> String {
        var request = LogRequest()
        (request.stdout, request.stderr) = (true, true)
        change(&request)
        var output: [UInt8] = []
        try await LogReader(path: path).read(request, tty: true) { output += $0 }
        return String(decoding: output, as: UTF8.self)
    }

    private func time(_ text: String) -> Timestamp { Timestamp(rfc3339: text) ?? Timestamp(nanoseconds: 0) }

    @Test("all files are read in order, and a torn last line is left out")
    func all() async throws {
        try await withLog { path in
            let text = try await read(path) { _ in }
            #expect(text == "line 0\nline 1\nline 2\nline 3\nline 4\nline 5\n")
        }
    }

    @Test(
        "the tail counts over files",
        arguments: [
            (0, ""), (2, "line 4\nline 5\n"), (5, "line 1\nline 2\nline 3\nline 4\nline 5\n"),
            (99, "line 0\nline 1\nline 2\nline 3\nline 4\nline 5\n"),
        ])
    func tail(_ count: Int, _ expected: String) async throws {
        try await withLog { path in
            let text = try await read(path) { $0.tail = count }
            #expect(text == expected)
        }
    }

    @Test("streams and times choose")
    func chosen() async throws {
        try await withLog { path in
            let errors = try await read(path) { $0.stdout = false }
            #expect(errors == "line 1\nline 4\n")
            let late = try await read(path) { $0.since = time("2026-01-01T00:00:04.5Z") }
            #expect(late == "line 4\nline 5\n")
            let early = try await read(path) { $0.until = time("2026-01-01T00:00:01.5Z") }
            #expect(early == "line 0\nline 1\n")
            let stamped = try await read(path) {
                $0.timestamps = true
                $0.until = time("2026-01-01T00:00:00.9Z")
            }
            #expect(stamped == "2026-01-01T00:00:00.500000000Z line 0\n")
        }
    }

    @Test("what is written while a client reads is not sent unless it follows")
    func growing() async throws {
        try await withLog { path in
            var request = LogRequest()
            request.stdout = true
            var pieces = 0
            try await LogReader(path: path).read(request, tty: true) { _ in
                pieces += 1
                let file = try open(path, 0o2001)  // O_WRONLY | O_APPEND
                try writeAll(
                    file, Array(#"{"log":"late\n","stream":"stdout","time":"2026-01-01T00:01:00Z"}"#.utf8 + [10]))
                if pieces > 10 { throw CancellationError() }
            }
            #expect(pieces == 2)
        }
    }

    @Test("many changes are one wake-up, and the end is not lost behind them", .timeLimit(.minutes(1)))
    func coalescing() async {
        let signal = LogSignal()
        for _ in 0..<1000 { signal.change() }
        #expect(await signal.wait())
        signal.change()
        signal.end()
        #expect(await signal.wait())
        #expect(await !signal.wait())
        #expect(await !signal.wait())
    }

    @Test(
        "the quick reader says what the thorough one says",
        arguments: [
            #"{"log":"a\"\\\n\u003c\ufffdü","stream":"stdout","time":"2026-01-01T00:00:00Z"}"#,
            #"{"log":"x","stream":"stderr","attrs":{"a":"}\"","b":"2"},"time":"2026-01-01T00:00:00.123456789Z"}"#,
        ])
    func quick(_ text: String) throws {
        let line = try #require(LogLineScanner.scan(Array(text.utf8)[...]))
        let json = try JSONValue(parsing: text)
        #expect(String(decoding: line.text, as: UTF8.self) == json["log"]?.string)
        #expect(line.time == time(json["time"]?.string ?? ""))
        #expect(line.stream == (json["stream"]?.string == "stderr" ? .stderr : .stdout))
        #expect((try? JSONValue(parsing: Array(line.attributes))) == json["attrs"])
    }

    @Test(
        "what the quick reader does not know is left to the thorough one",
        arguments: [
            #"{"log":"\ud83d\ude00","stream":"stdout","time":"2026-01-01T00:00:00Z"}"#,
            #"{"stream":"stdout","log":"x","time":"2026-01-01T00:00:00Z"}"#,
            #"{"log":"x","stream":"stdout","attrs":{"a":"b""#,
        ])
    func slow(_ text: String) { #expect(LogLineScanner.scan(Array(text.utf8)[...]) == nil) }

    @Test("details stand before the text, times before them")
    func details() throws {
        let text = #"{"log":"e\n","stream":"stdout","attrs":{"b":"x y","a":"1"},"time":"2026-01-01T00:00:00Z"}"#
        let line = try #require(LogLine(parsing: Array(text.utf8)))
        let shown = line.encoded(timestamps: true, details: true, tty: true)
        #expect(String(decoding: shown, as: UTF8.self) == "2026-01-01T00:00:00.000000000Z a=1,b=x+y e\n")
    }

    @Test("full files are compressed in their places and read as before")
    func compressed() async throws {
        try await withLog { path in
            let before = try await read(path) { _ in }
            let old = try OpenLog(FilePath(path.string + ".1"))
            await LogCompressor(path: path, logger: Logger(label: "test")).run(until: AsyncStream { $0.finish() })
            #expect(!exists(FilePath(path.string + ".1")) && exists(FilePath(path.string + ".1.gz")))
            #expect(try await read(path) { _ in } == before)
            let tail = try await read(path) { $0.tail = 4 }
            #expect(tail == "line 2\nline 3\nline 4\nline 5\n")
            // Who has read the old file to its end goes on with the one after it.
            let next = LogSegments(path: path).successor(of: old)
            #expect(try next?.inode == OpenLog(path).inode)
        }
    }

    @Test("several full files are all compressed", .timeLimit(.minutes(1)))
    func allCompressed() async throws {
        try await withLog { path in
            let segments = LogSegments(path: path)
            for number in [3, 2] {
                try writeFileAtomically(segments.old(number), readFile(segments.old(1)))
            }
            let before = try await read(path) { _ in }
            await LogCompressor(path: path, logger: Logger(label: "test")).run(until: AsyncStream { $0.finish() })
            for number in 1...3 { #expect(!exists(segments.old(number)) && exists(segments.compressed(number))) }
            #expect(try await read(path) { _ in } == before)
        }
    }

    @Test("a follower finds its place again among compressed files of one time")
    func placeAmongCompressed() async throws {
        try await withLog { path in
            let segments = LogSegments(path: path)
            for number in [3, 2] {
                try writeFileAtomically(segments.old(number), readFile(segments.old(1)))
            }
            for file in [3, 2, 1].map(segments.old) + [path] {
                let times = [timespec(tv_sec: 1_700_000_000, tv_nsec: 0), timespec(tv_sec: 1_700_000_000, tv_nsec: 0)]
                #expect(utimensat(AT_FDCWD, file.string, times, 0) == 0)
            }
            let followed = segments.files()
            await LogCompressor(path: path, logger: Logger(label: "test")).run(until: AsyncStream { $0.finish() })
            for (log, number) in zip(followed, [2, 1]) {
                #expect(segments.successor(of: log)?.inode == (try OpenLog(segments.compressed(number)).inode))
            }
            #expect(segments.successor(of: followed[2])?.inode == followed[3].inode)
            #expect(segments.successor(of: followed[3]) == nil)
        }
    }

    @Test("without a terminal output is framed by stream")
    func framed() throws {
        let bytes = Array(#"{"log":"e\n","stream":"stderr","time":"2026-01-01T00:00:00Z"}"#.utf8)
        let line = try #require(LogLine(parsing: bytes))
        #expect(line.encoded(timestamps: false, tty: false) == [2, 0, 0, 0, 0, 0, 0, 2, 101, 10])
    }

    @Test("what is no line is skipped", arguments: ["", "{}", "[]", #"{"log":"x"}"#, #"{"log":1,"time":"2026"}"#])
    func noLine(_ text: String) { #expect(LogLine(parsing: Array(text.utf8)) == nil) }
}

@Suite("Detach keys")
struct DetachKeysTests {
    @Test(
        "are read as docker reads them",
        arguments: [("", [16, 17]), ("a,ctrl-x", [97, 24]), ("ctrl-@,ctrl-_", [0, 31])] as [(String, [UInt8])])
    func parse(_ text: String, _ keys: [UInt8]) throws { #expect(try detachKeys(text) == keys) }

    @Test("malformed ones are refused", arguments: ["ctrl-", "ab", "ctrl-1", "a,"])
    func refused(_ text: String) { #expect(throws: EngineError.self) { try detachKeys(text) } }

    @Test("are found over several reads, and a false start is passed on")
    func detect() {
        var detector = DetachKeys([16, 17])
        #expect(detector.pass([1, 16]) == ([1], false))
        #expect(detector.pass([2]) == ([16, 2], false))
        #expect(detector.pass([16, 16]) == ([16], false))
        #expect(detector.pass([17, 9]) == ([], true))
        #expect(detector.pass([9, 16, 17]) == ([9], true), "what comes after the end begins anew")
    }
}
