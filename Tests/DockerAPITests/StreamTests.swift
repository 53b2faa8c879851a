// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import Testing

@Suite("Streams")
struct StreamTests {
    @Test("frames as docker does")
    func frame() {
        #expect(StreamFrame.encode(.stdout, Array("hi\n".utf8)) == [1, 0, 0, 0, 0, 0, 0, 3, 104, 105, 10])
        #expect(StreamFrame.encode(.stderr, [UInt8](repeating: 0, count: 300)).prefix(8) == [2, 0, 0, 0, 0, 0, 1, 44])
    }

    @Test("finds frames again, however they are cut", arguments: 1...11)
    func decode(_ size: Int) {
        let bytes = StreamFrame.encode(.stdout, Array("one".utf8)) + StreamFrame.encode(.stderr, Array("two".utf8))
        var decoder = StreamFrameDecoder()
        var seen: [String] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            decoder.append(bytes[start..<min(start + size, bytes.count)])
            while let (stream, payload) = decoder.next() {
                seen.append("\(stream) " + String(decoding: payload, as: UTF8.self))
            }
        }
        #expect(seen == ["stdout one", "stderr two"])
        #expect(!decoder.isBroken)
    }

    @Test("knows what is no frame")
    func broken() {
        var decoder = StreamFrameDecoder()
        decoder.append(Array("not a frame".utf8))
        #expect(decoder.next() == nil)
        #expect(decoder.isBroken)
    }

    @Test(
        "sizes with four digits",
        arguments: [
            (0, "0B"), (328, "328B"), (1000, "1kB"), (1_984_828, "1.985MB"), (320_500_000, "320.5MB"),
            (3584, "3.584kB"), (10_010, "10.01kB"),
        ])
    func sizes(_ bytes: Int64, _ expected: String) { #expect(humanSize(bytes) == expected) }

    @Test("progress lines read as docker's")
    func progress() {
        let line = ProgressMessage.progress("Downloading", id: "146c958a669e", current: 328, total: 328).json
        #expect(
            line.serialized(JSONFormat(escapesHTML: true))
                == #"{"status":"Downloading","progressDetail":{"current":328,"total":328},"#
                + #""progress":"[==================================================\u003e]     328B/328B","id":"146c958a669e"}"#
        )
        #expect(
            ProgressMessage.step("Pull complete", id: "a").json.serialized()
                == #"{"status":"Pull complete","progressDetail":{},"id":"a"}"#)
        #expect(
            ProgressMessage.error("no").json.serialized() == #"{"errorDetail":{"message":"no"},"error":"no"}"#)
    }

    @Test("events read as docker's")
    func events() {
        let event = EventMessage(
            kind: .container, action: "start", actorID: "8c56", attributes: [("name", "wev"), ("image", "busybox")],
            nanoseconds: 1_795_227_154_206_490_496)
        #expect(
            event.json.serialized()
                == #"{"status":"start","id":"8c56","from":"busybox","Type":"container","Action":"start","#
                + #""Actor":{"ID":"8c56","Attributes":{"image":"busybox","name":"wev"}},"scope":"local","#
                + #""time":1795227154,"timeNano":1795227154206490496}"#)
        let network = EventMessage(
            kind: .network, action: "destroy", actorID: "5ad5", attributes: [], nanoseconds: 5)
        #expect(network.json["status"] == nil)
    }

    @Test(
        "events pass filters",
        arguments: [
            (#"{"type":["container"]}"#, true), (#"{"type":["image"]}"#, false), (#"{"container":["wev"]}"#, true),
            (#"{"container":["8c"]}"#, true), (#"{"container":["9"]}"#, false), (#"{"event":["exec_create"]}"#, true),
            (#"{"event":["start"]}"#, false), (#"{"image":["busybox"]}"#, true), (#"{"label":["k=v"]}"#, true),
            (#"{"network":["x"]}"#, false), ("{}", true),
        ])
    func filtered(_ text: String, _ expected: Bool) throws {
        let event = EventMessage(
            kind: .container, action: "exec_create: sh -c x", actorID: "8c56",
            attributes: [("name", "wev"), ("image", "busybox:1"), ("k", "v")], nanoseconds: 1)
        #expect(event.passes(try Filters(parsing: text)) == expected)
    }
}
