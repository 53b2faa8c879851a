// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Engine
import JSON
import Testing

@Suite("Changes of an image's configuration")
struct ImageChangesTests {
    private func config(_ changes: String..., environment: [String] = []) throws -> ContainerConfig {
        var config = try ContainerConfig(json: .object([]))
        try ImageChanges(changes).apply(to: &config, environment: environment)
        return config
    }

    @Test(
        "commands, as lists and as lines for the shell",
        arguments: [
            ("CMD [\"a\", \"b c\"]", ["a", "b c"]), ("cmd echo hi", ["/bin/sh", "-c", "echo hi"]),
            ("CMD [not json", ["/bin/sh", "-c", "[not json"]), ("CMD []", []),
        ])
    func command(_ change: String, _ expected: [String]) throws {
        #expect(try config(change).command == expected)
    }

    @Test("every port there is can be exposed, and takes no time", .timeLimit(.minutes(1)))
    func allPorts() throws { #expect(try config("EXPOSE 1-65535 80/tcp").exposedPorts.count == 65535) }

    @Test("an entry point takes an earlier command away, but not one of these changes")
    func entrypoint() throws {
        var inherited = try ContainerConfig(json: ["Cmd": ["old"]])
        try ImageChanges(["ENTRYPOINT [\"e\"]"]).apply(to: &inherited)
        #expect(inherited.command == nil && inherited.entrypoint == ["e"])
        #expect(try config("CMD c", "ENTRYPOINT e").command == ["/bin/sh", "-c", "c"])
    }

    @Test(
        "variables, quotes and backslashes",
        arguments: [
            ("ENV A=1 B=2", ["A=1", "B=2"]), ("ENV A=\"x y\" B='p q'", ["A=x y", "B=p q"]),
            ("ENV A=x\\ y", ["A=x y"]), ("ENV A some long text", ["A=some long text"]),
            ("ENV A=$OUT/b", ["A=outer/b"]), ("ENV A=${OUT}b", ["A=outerb"]), ("ENV A='$OUT'", ["A=$OUT"]),
            ("ENV A=\\$OUT", ["A=$OUT"]), ("ENV A=${NONE:-d}", ["A=d"]), ("ENV A=${OUT:+z}", ["A=z"]),
            ("ENV A=$NONE.", ["A=."]), ("ENV A=$", ["A=$"]), ("ENV A=${OUT", ["A=${OUT"]), ("ENV A=", ["A="]),
        ])
    func environment(_ change: String, _ expected: [String]) throws {
        #expect(try config(change, environment: ["OUT=outer"]).env == expected)
    }

    @Test("a later instruction sees an earlier one, and lines may be continued")
    func order() throws {
        let config = try config("ENV A=1\nENV B=$A \\\n  C=3\n# comment\n\nWORKDIR /x", "WORKDIR y/../z")
        #expect(config.env == ["A=1", "B=1", "C=3"])
        #expect(config.workingDirectory == "/x/z")
    }

    @Test(
        "ports",
        arguments: [
            ("EXPOSE 80", ["80/tcp"]), ("EXPOSE 53/UDP 80", ["53/udp", "80/tcp"]),
            ("EXPOSE 8000-8002", ["8000/tcp", "8001/tcp", "8002/tcp"]),
        ])
    func ports(_ change: String, _ expected: [String]) throws { #expect(try config(change).exposedPorts == expected) }

    @Test(
        "health checks",
        arguments: [
            ("HEALTHCHECK NONE", #"{"Test":["NONE"]}"#),
            ("HEALTHCHECK CMD [\"a\"]", #"{"Test":["CMD","a"]}"#),
            (
                "HEALTHCHECK --interval=1m30s --timeout=500ms --retries=3 CMD x y",
                #"{"Test":["CMD-SHELL","x y"],"Interval":90000000000,"Timeout":500000000,"Retries":3}"#
            ),
        ])
    func healthchecks(_ change: String, _ expected: String) throws {
        let found = try #require(try config(change).json["Healthcheck"])
        #expect(String(decoding: found.bytes(), as: UTF8.self) == expected)
    }

    @Test("labels, volumes, triggers, user and stop signal")
    func others() throws {
        let config = try config(
            "LABEL a=b", "LABEL \"c d\"=\"e f\" a=x", "VOLUME /a /b", "VOLUME [\"/c d\"]", "ONBUILD RUN x", "USER u:g",
            "STOPSIGNAL SIGUSR1")
        #expect(config.labels.map { $0.key + "=" + $0.value } == ["a=x", "c d=e f"])
        #expect(config.volumes == ["/a", "/b", "/c d"])
        #expect(config.json["OnBuild"]?.strings == ["RUN x"])
        #expect(config.user == "u:g" && config.stopSignal == "SIGUSR1")
    }

    @Test(
        "what is no such instruction is refused",
        arguments: [
            "RUN x", "COPY a b", "nonsense", "CMD", "EXPOSE x", "EXPOSE 80/abc", "EXPOSE 9-8", "EXPOSE 70000",
            "ENV novalue", "ENV A=1 B", "HEALTHCHECK", "HEALTHCHECK CMD", "HEALTHCHECK --bad=1 CMD x", "SHELL sh",
            "STOPSIGNAL NOSIGNAL", "HEALTHCHECK --interval=5 CMD x",
        ])
    func refused(_ change: String) {
        #expect(throws: EngineError.self) { _ = try config(change) }
    }
}
