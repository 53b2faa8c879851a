// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Testing

@testable import ShimAPI

/// The bytes are what `protoc --encode` makes of containerd's definitions.
@Suite("Task service messages")
struct TaskMessageTests {
    @Test("CreateTaskRequest")
    func create() throws {
        let request = try CreateTaskRequest(
            decoding: hex(
                "0a026331" + "12022f62"  // id, bundle
                    + "1a180a0462696e6412022f731a017422057262696e642202726f"  // a mount with target and two options
                    + "2001" + "2a0169" + "32016f" + "3a0165"  // terminal, stdin, stdout, stderr
                    + "521f0a1a636f6e7461696e6572642e72756e632e76312e4f7074696f6e73120178"))
        #expect(request.id == "c1")
        #expect(request.bundle == "/b")
        #expect(request.rootfs == [Mount(type: "bind", source: "/s", target: "t", options: ["rbind", "ro"])])
        #expect(request.stdio == StdioNames(stdin: "i", stdout: "o", stderr: "e", terminal: true))
        #expect(request.options == AnyMessage(typeURL: RuntimeOptions.messageName, value: [0x78]))
    }

    @Test("KillRequest")
    func kill() throws {
        let request = try KillRequest(decoding: hex("0a02633112016518092001"))
        #expect((request.id, request.execID, request.signal, request.all) == ("c1", "e", 9, true))
    }

    @Test("StateResponse")
    func state() {
        var response = StateResponse()
        response.id = "c1"
        response.bundle = "/b"
        response.pid = 42
        response.status = .stopped
        response.stdio = StdioNames(stdin: "i", stdout: "o", stderr: "e", terminal: true)
        response.exit = ExitStatus(code: 137, exitedAt: Timestamp(nanoseconds: 1_785_578_400_500_000_000))
        response.execID = "x"
        #expect(
            response.encoded()
                == hex("0a02633112022f62182a20032a016932016f3a01654001488901520c08a087b7d3061080cab5ee015a0178"))
    }

    @Test("PidsResponse names the exec of a process")
    func pids() {
        let response = PidsResponse(processes: [.init(pid: 5), .init(pid: 6, execID: "e")])
        #expect(
            response.encoded()
                == hex(
                    "0a020805" + "0a2c0806"
                        + "12280a21636f6e7461696e6572642e72756e632e76312e50726f6365737344657461696c7312030a0165"))
    }

    @Test("options name the runtime and its root")
    func options() throws {
        let options = try RuntimeOptions(decoding: hex("0801" + "20e807" + "3204" + "72756e63" + "3a022f72" + "4801"))
        #expect(options.noPivotRoot)
        #expect(options.ioUID == 1000)
        #expect((options.binaryName, options.root, options.systemdCgroup) == ("runc", "/r", true))
    }

    @Test("unknown fields are skipped", arguments: ["0a026331" + "fa0703616263" + "f80701" + "f507" + "01020304"])
    func unknown(text: String) throws {
        #expect(try ProcessRequest(decoding: hex(text)).id == "c1")
    }

    @Test("the type of an Any is found with and without a host", arguments: ["a.B", "types.googleapis.com/a.B"])
    func messageName(url: String) {
        #expect(AnyMessage(typeURL: url, value: []).messageName == "a.B")
    }
}

@Suite("Task events")
struct TaskEventTests {
    private static let exit = ExitStatus(code: 9, exitedAt: Timestamp(nanoseconds: 3_000_000_000))

    @Test(
        "are encoded as protoc encodes them",
        arguments: [
            (.exit(id: "c1", processID: "e1", pid: 7, exit), "0a02633112026531180720092a020803"),
            (.delete(id: "c1", processID: "e1", pid: 7, exit), "0a02633110071809220208032a026531"),
            (
                .create(
                    id: "c1", bundle: "/b", rootfs: [Mount(type: "overlay", source: "overlay", options: ["ro", ""])],
                    stdio: StdioNames(stdin: "i", stdout: "o", terminal: true), checkpoint: "", pid: 7),
                "0a02633112022f621a180a076f7665726c617912076f7665726c61792202726f220022080a016912016f20013007"
            ),
            (.start(id: "c1", pid: 7), "0a0263311007"),
            (.execStarted(id: "c1", execID: "e1", pid: 7), "0a026331120265311807"),
            (.paused(id: "c1"), "0a026331"),
        ] as [(TaskEvent, String)])
    func encoding(event: TaskEvent, expected: String) {
        #expect(event.message.value == hex(expected))
    }

    @Test("travel in an envelope with their topic")
    func envelope() {
        let time = Timestamp(nanoseconds: 1_000_000_002)
        let event = TaskEvent.exit(id: "c1", processID: "e1", pid: 7, Self.exit)
        let envelope = hex(
            "0a0408011002" + "12026e73" + "1a0b2f7461736b732f65786974"
                + "222e0a1a636f6e7461696e6572642e6576656e74732e5461736b4578697412100a02633112026531180720092a020803")
        let request = ForwardRequest(time: time, namespace: "ns", event: event).encoded()
        #expect(request == [0x0A, UInt8(envelope.count)] + envelope)
    }
}

/// Bytes from hexadecimal digits.
private func hex(_ text: String) -> [UInt8] {
    let digits = Array(text)
    return stride(from: 0, to: digits.count - 1, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
}
