// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import LinuxSystem
import Testing

@testable import Engine

@Suite("Why a start failed")
struct StartFailureTests {
    private static let frame =
        "failed to create task for container: failed to create shim task: OCI runtime create failed: "

    @Test(
        "the runtime's words decide about exit code and kind",
        arguments: [
            (#"exec: "x": executable file not found in $PATH"#, 127, true),
            (#"exec: "/x": stat /x: no such file or directory"#, 127, true),
            (#"exec: "/etc": is a directory"#, 126, true),
            (#"exec: "/f": permission denied"#, 126, true), ("something else", 128, false),
        ])
    func kinds(_ reason: String, _ code: Int32, _ isClientsFault: Bool) {
        let text = "runc create failed: unable to start container process: " + reason
        for given in ["OCI runtime create failed: " + text, Self.frame + text + ": unknown"] {
            let failure = StartFailure(EngineError(.internal, given))
            let end = reason.hasSuffix("is a directory") ? ": unknown: permission denied" : ": unknown"
            #expect(failure.exitCode == code)
            #expect(
                failure.error
                    == EngineError(isClientsFault ? .invalidArgument : .internal, Self.frame + text + end))
        }
    }

    @Test("other errors pass unchanged")
    func other() {
        let error = EngineError(.notFound, "network x not found")
        #expect(StartFailure(error) == StartFailure(error))
        #expect(StartFailure(error).error == error && StartFailure(error).exitCode == 128)
    }
}

@Suite("Defaults and checks of a create request")
struct ContainerDefaultsTests {
    private static let image: JSONValue = [
        "User": "app", "Env": ["PATH=/bin", "A=image"], "Cmd": ["serve"], "Entrypoint": ["/entry"],
        "WorkingDir": "/srv",
        "Labels": ["a": "image", "b": "image"], "ExposedPorts": ["80/tcp": [:]], "Volumes": ["/data": [:]],
        "StopSignal": "SIGINT",
    ]

    private static let settings = EngineConfiguration(dataRoot: FilePath("/d"), execRoot: FilePath("/e"))

    private func merged(_ config: JSONValue) throws -> ContainerConfig {
        var config = try ContainerConfig(json: config)
        try ContainerDefaults.merge(Self.image, into: &config)
        return config
    }

    @Test("what the user leaves open comes from the image")
    func everything() throws {
        let config = try merged([:])
        #expect(config.user == "app" && config.workingDirectory == "/srv" && config.stopSignal == "SIGINT")
        #expect(config.env == ["PATH=/bin", "A=image"])
        #expect(config.entrypoint == ["/entry"] && config.command == ["serve"])
        #expect(config.exposedPorts == ["80/tcp"] && config.volumes == ["/data"])
    }

    @Test(
        "the image's command belongs to its entry point",
        arguments: [
            (["Cmd": ["x"]], ["/entry"], ["x"]), (["Entrypoint": ["/own"]], ["/own"], nil),
            (["Entrypoint": [""], "Cmd": ["x"]], nil, ["x"]),
            (["Entrypoint": ["/own"], "Cmd": ["y"]], ["/own"], ["y"]),
        ] as [(JSONValue, [String]?, [String]?)])
    func command(_ config: JSONValue, _ entrypoint: [String]?, _ command: [String]?) throws {
        let result = try merged(config)
        #expect(result.entrypoint == entrypoint && result.command == command)
    }

    @Test("the user's values win")
    func winning() throws {
        let config = try merged(["Env": ["A=user", "PATH"], "Labels": ["b": "user"], "ExposedPorts": ["53/udp": [:]]])
        #expect(config.env == ["A=user", "PATH"])  // no value: not inherited, and unset at the start
        #expect(config.labels.map { $0.key + "=" + $0.value } == ["a=image", "b=user"])
        #expect(config.exposedPorts == ["53/udp", "80/tcp"])
    }

    @Test("the host's half gets the values that inspect shows")
    func normalized() throws {
        var host = try HostConfig(json: [
            "NetworkMode": "default", "Memory": 100, "MemorySwappiness": -1, "PidsLimit": 0, "CapAdd": ["net_admin"],
        ])
        ContainerDefaults.normalize(&host, Self.settings, unifiedCgroups: true)
        #expect(host.networkMode == "bridge" && host.number("MemorySwap") == 200 && host.text("IpcMode") == "private")
        #expect(host["MemorySwappiness"].isNull && host["PidsLimit"].isNull)
        #expect(host.list("CapAdd") == ["CAP_NET_ADMIN"] && host.text("CgroupnsMode") == "private")
        #expect(host.logDriver == "json-file" && host.restartPolicy.name == "no")
    }

    private func check(_ host: JSONValue, _ config: JSONValue = [:]) throws {
        var hostConfig = try HostConfig(json: host)
        ContainerDefaults.normalize(&hostConfig, Self.settings, unifiedCgroups: false)
        var facts = HostFacts(architecture: "amd64", capabilities: [], usesUnifiedCgroups: false, cpuCount: 2)
        facts.securityModules = ["apparmor"]
        try ContainerValidation(
            config: ContainerConfig(json: config), host: hostConfig, facts: facts, runtimes: ["swrun"]
        ).check()
    }

    @Test("a plain request is accepted")
    func accepted() throws { try check([:]) }

    @Test(
        "a setting that cannot be had is refused, never left out",
        arguments: [
            ["Links": ["a:b:c"]], ["StorageOpt": ["size": "one"]],
            ["Isolation": "hyperv"], ["Runtime": "nosuch"], ["LogConfig": ["Type": "gelf"]],
            ["SecurityOpt": ["apparmor=x"]], ["OomScoreAdj": 2000],
        ] as [JSONValue])
    func refused(_ host: JSONValue) {
        #expect(throws: EngineError.self) { try check(host) }
    }

    @Test(
        "limits that make no sense are refused in docker's words",
        arguments: [
            (["Memory": 5], "Minimum memory limit allowed is 6MB"),
            (["MemorySwap": 5], "You should always set the Memory limit when using Memoryswap limit, see usage"),
            (["NanoCpus": 3_000_000_000], "Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"),
            (["CpusetCpus": "a"], "Invalid value a for cpuset cpus: invalid format: a"),
            (
                ["RestartPolicy": ["Name": "sometimes"]],
                "invalid restart policy: unknown policy 'sometimes'; use one of 'no', 'always', 'on-failure', or "
                    + "'unless-stopped'"
            ),
            (["IpcMode": "nonsense"], "invalid IPC mode: nonsense"),
            (["Sysctls": ["kernel.hostname": "x"]], "sysctl 'kernel.hostname' is not allowed"),
        ] as [(JSONValue, String)])
    func limits(_ host: JSONValue, _ message: String) {
        #expect(throws: EngineError.invalidArgument(message)) { try check(host) }
    }

    @Test(
        "sizes of log files",
        arguments: [("10m", 10 << 20), ("1kb", 1024), ("5", 5), ("1.5 KiB", 1536), ("2g", 2 << 30)] as [(String, Int64)]
    )
    func logSize(_ text: String, _ bytes: Int64) { #expect(ByteSize.binary(text) == bytes) }

    @Test("malformed sizes", arguments: ["", "m", "1x", "-2", "1mm", ".5", "9999999p"])
    func badLogSize(_ text: String) { #expect(ByteSize.binary(text) == nil) }

    @Test(
        "log drivers and options that there are not are refused in docker's words",
        arguments: [
            ("odd", [], "error looking up logging plugin odd: plugin \"odd\" not found"),
            ("json-file", [("x", "1")], "unknown log opt 'x' for json-file log driver"),
            ("local", [("labels", "1")], "unknown log opt 'labels' for log driver local"),
            ("syslog", [("max-size", "1")], "unknown log opt 'max-size' for syslog log driver"),
            ("gelf", [], "gelf-address is a required parameter"),
            ("json-file", [("mode", "odd")], "logger: logging mode not supported: odd"),
            (
                "json-file", [("max-buffer-size", "1m")],
                "logger: max-buffer-size option is only supported with 'mode=non-blocking'"
            ),
        ] as [(String, [(String, String)], String)])
    func badLog(_ driver: String, _ options: [(String, String)], _ message: String) {
        #expect(throws: EngineError.invalidArgument(message)) {
            try LogOptions.validate(driver: driver, options: options.map { (key: $0.0, value: $0.1) })
        }
    }

    @Test("the options of log files, with docker's defaults")
    func logFiles() throws {
        let json = try LogOptions(driver: "json-file", options: [("max-size", "10k"), ("max-file", "3")])
        #expect(json.maximumBytes == 10_000 && json.maximumFiles == 3 && !json.compresses && json.isReadable)
        let local = try LogOptions(driver: "local", options: [])
        #expect(local.maximumBytes == 20 << 20 && local.maximumFiles == 5 && local.compresses && !local.isSent)
        let hidden = try LogOptions(driver: "syslog", options: [("cache-disabled", "true")])
        #expect(hidden.hasFile && !hidden.isReadable && hidden.isSent)
        let text = "compress cannot be true when max-file is less than 2 or max-size is not set"
        #expect(throws: LogOptions.failure(text)) {
            try LogOptions(driver: "json-file", options: [("compress", "true")])
        }
    }
}

@Suite("Records and tables")
struct ContainerRecordTests {
    @Test("a record survives the store in every phase")
    func roundTrip() throws {
        var record = ContainerRecord(
            id: "i", name: "n", created: Timestamp(nanoseconds: 1), imageName: "busybox", imageID: "sha256:x",
            config: try ContainerConfig(json: ["Cmd": ["a"]]), hostConfig: try HostConfig(json: ["Memory": 1]))
        let exit = ContainerState.Exit(
            code: 3, finishedAt: Timestamp(nanoseconds: 9), startedAt: nil, message: "reason")
        let run = ContainerState.Run(pid: 4, startedAt: Timestamp(nanoseconds: 5))
        record.mounts = [MountPoint(.tmpfs, destination: "/t")]
        record.rootfs = [.init(type: "overlay", source: "overlay", options: ["a=b"])]
        record.network.ports = [.init(key: "80/tcp", hostIP: "0.0.0.0", hostPort: 8080)]
        for phase in [.created, .running(run), .paused(run), .exited(exit), .restarting(exit), .removing(nil)]
            as [ContainerState.Phase]
        {
            record.state = ContainerState(phase: phase)
            #expect(try ContainerRecord(json: JSONValue(parsing: record.json.serialized())) == record)
        }
    }

    @Test("ps output is cut into columns, and only the container's processes are kept")
    func processes() throws {
        let output = """
            UID        PID  PPID CMD
            root         1     0 init
            bob       4191  1234 sh -c sleep  1
            """
        let table = try ProcessTable(parsing: output, pids: ["4191"])
        #expect(table.titles == ["UID", "PID", "PPID", "CMD"])
        #expect(table.rows == [["bob", "4191", "1234", "sh -c sleep  1"]])
        #expect(throws: EngineError.self) { try ProcessTable(parsing: "A B\n1 2", pids: []) }
    }

    @Test("paths in the URLs of streams are percent-encoded")
    func encoding() { #expect(percentEncoded("/a b/c?d&é") == "/a%20b/c%3Fd%26%C3%A9") }
}
