// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import Testing

@Suite("Container and host configuration")
struct ContainerConfigTests {
    @Test("an empty request has docker's members in docker's order with Go's zero values")
    func empty() throws {
        let config = try ContainerConfig(json: [:])
        #expect(
            config.inspectJSON.serialized()
                == #"{"Hostname":"","Domainname":"","User":"","AttachStdin":false,"AttachStdout":false,"#
                + #""AttachStderr":false,"Tty":false,"OpenStdin":false,"StdinOnce":false,"Env":null,"Cmd":null,"#
                + #""Image":"","Volumes":null,"WorkingDir":"","Entrypoint":null,"OnBuild":null,"Labels":null}"#)
        let members = try HostConfig(json: .null).inspectJSON.members?.map(\.key) ?? []
        #expect(members.prefix(4) == ["Binds", "ContainerIDFile", "LogConfig", "NetworkMode"])
        #expect(members.suffix(3) == ["IOMaximumBandwidth", "MaskedPaths", "ReadonlyPaths"])
        #expect(members.count == 63)
    }

    @Test("a member of the wrong type is refused in Go's words")
    func wrongType() {
        #expect(
            throws: FieldError(
                "json: cannot unmarshal string into Go struct field ContainerConfigWrapper.Config.Tty of type bool")
        ) {
            try ContainerConfig(json: ["Tty": "yes"])
        }
        #expect(throws: FieldError.self) { try HostConfig(json: ["Binds": [1]]) }
        #expect(throws: FieldError.self) { try ContainerCreateRequest(json: []) }
    }

    @Test("a single string is a list of one, as docker's StrSlice reads it")
    func stringSlice() throws {
        #expect(try ContainerConfig(json: ["Cmd": "ls", "Entrypoint": ["sh", "-c"]]).command == ["ls"])
    }

    @Test("unknown members are dropped and changes keep the order")
    func order() throws {
        var host = try HostConfig(json: ["Nonsense": 1, "Memory": 5, "Binds": ["/a:/b"]])
        host.set("AutoRemove", true)
        #expect(host.json["Nonsense"] == nil)
        #expect(host.json.members?.first?.key == "Binds")
        #expect(host.autoRemove && host.number("Memory") == 5)
    }

    @Test(
        "a restart policy decides by exit code, count and who stopped it",
        arguments: [
            ("no", 0, 1, 0, false, false), ("always", 0, 0, 9, false, true), ("always", 0, 0, 0, true, false),
            ("on-failure", 0, 0, 0, false, false), ("on-failure", 0, 1, 99, false, true),
            ("on-failure", 3, 1, 2, false, true), ("on-failure", 3, 1, 3, false, false),
            ("unless-stopped", 0, 0, 0, false, true), ("unless-stopped", 0, 0, 0, true, false),
        ])
    func restarts(_ name: String, _ maximum: Int, _ code: Int32, _ count: Int, _ stopped: Bool, _ expected: Bool) {
        let policy = RestartPolicy(name: name, maximumRetryCount: maximum)
        #expect(policy.restarts(after: code, restarts: count, stoppedByUser: stopped) == expected)
    }

    @Test("an exec's body is read with its defaults")
    func exec() throws {
        let config = try ExecConfig(json: ["Cmd": ["a", "b"], "Tty": true, "Env": nil])
        #expect(config.command == ["a", "b"] && config.tty && config.env.isEmpty && !config.privileged)
    }
}
