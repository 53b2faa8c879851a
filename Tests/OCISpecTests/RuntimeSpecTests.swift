// SPDX-License-Identifier: Apache-2.0
import JSON
import Testing

@testable import OCISpec

@Suite("Reading config.json")
struct RuntimeSpecTests {
    @Test("what a runtime acts on is read")
    func reads() throws {
        let spec = try RuntimeSpec(
            parsing: Array(
                """
                {"ociVersion": "1.0.2-dev", "unknown": {"x": 1}, "hostname": "h", "annotations": {"b": "1", "a": "2"},
                 "process": {"args": ["sh", "-c", "x"], "cwd": "/", "user": {"uid": 5, "additionalGids": [1, 2]},
                             "rlimits": [{"type": "RLIMIT_CORE", "soft": 1, "hard": 18446744073709551615}]},
                 "root": {"path": "r", "readonly": true}, "hooks": null,
                 "mounts": [{"destination": "/x", "options": ["ro"]}],
                 "linux": {"resources": {"devices": [{"allow": true, "type": "c", "major": -1, "access": "r"}]},
                           "namespaces": [{"type": "network", "path": "/n"}]}}
                """.utf8))
        #expect(spec.process?.user.additionalGroups == [1, 2])
        #expect(spec.process?.limits.first?.hard == .max)
        #expect(spec.root?.isReadOnly == true)
        #expect(spec.mounts == [RuntimeMount(destination: "/x", options: ["ro"])])
        #expect(spec.linux.resources.devices == [.init(isAllowed: true, type: "c", access: "r")])
        #expect(spec.linux.namespaces.map { $0.path } == ["/n"])
        #expect(spec.annotations.sortedObject == ["a": "2", "b": "1"])
    }

    @Test(
        "mistakes are named with their place",
        arguments: [
            ("[]", "expected object, found array"),
            ("{}", "ociVersion: is required"),
            (#"{"ociVersion": 1}"#, "ociVersion: expected string, found number"),
            (#"{"ociVersion": "1", "process": {"args": "sh"}}"#, "process.args: expected array, found string"),
            (#"{"ociVersion": "1", "process": {"args": ["a", 2]}}"#, "process.args[1]: expected string, found number"),
            (#"{"ociVersion": "1", "process": {"user": {"uid": -1}}}"#, "process.user.uid: out of range"),
            (#"{"ociVersion": "1", "process": {"user": {"uid": 4294967296}}}"#, "process.user.uid: out of range"),
            (#"{"ociVersion": "1", "mounts": [{}]}"#, "mounts[0].destination: is required"),
            (#"{"ociVersion": "1", "hostname": "a\u0000b"}"#, "hostname: must not contain NUL"),
            (#"{"ociVersion": "1", "linux": {"namespaces": [{"type": "x"}]}}"#, "namespace \"x\" does not exist"),
            (#"{"ociVersion": "1", "hooks": {"poststop": [{"path": "x"}]}}"#, "hook path must be absolute: x"),
            (#"{"ociVersion": "1""#, "unexpected end of JSON input at byte 18"),
        ])
    func mistakes(_ text: String, _ message: String) {
        #expect(throws: RuntimeSpecError(message)) { _ = try RuntimeSpec(parsing: Array(text.utf8)) }
    }

    @Test("the state that hooks get")
    func state() {
        var state = RuntimeState(
            ociVersion: "1.2.0", id: "c", status: .creating, pid: 0, bundle: "/b", annotations: [])
        #expect(state.json.serialized() == #"{"ociVersion":"1.2.0","id":"c","status":"creating","bundle":"/b"}"#)
        state.pid = 5
        state.annotations = [RuntimePair(key: "k", value: "v")]
        #expect(
            state.json.serialized()
                == #"{"ociVersion":"1.2.0","id":"c","status":"creating","pid":5,"bundle":"/b","annotations":{"k":"v"}}"#
        )
    }
}
