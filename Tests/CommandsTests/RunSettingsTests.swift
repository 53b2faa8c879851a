// SPDX-License-Identifier: Apache-2.0
import Flags
import JSON
import Testing

@testable import Commands

/// What `run` and `create` send, against what docker's client sends for the same words.
@Suite("Create requests")
struct RunSettingsTests {
    private func body(_ arguments: [String], of command: Command = ContainerCreate.command) throws -> JSONValue {
        try RunSettings(flags: try command.flagSet.parse(arguments)).body()
    }

    @Test("a plain container is byte for byte docker's")
    func plain() throws {
        let host =
            #"{"Binds":null,"ContainerIDFile":"","LogConfig":{"Type":"","Config":{}},"NetworkMode":"default","#
            + #""PortBindings":{},"RestartPolicy":{"Name":"no","MaximumRetryCount":0},"AutoRemove":true,"#
            + #""VolumeDriver":"","VolumesFrom":null,"ConsoleSize":[0,0],"CapAdd":null,"CapDrop":null,"#
            + #""CgroupnsMode":"","Dns":[],"DnsOptions":[],"DnsSearch":[],"ExtraHosts":null,"GroupAdd":null,"#
            + #""IpcMode":"","Cgroup":"","Links":null,"OomScoreAdj":0,"PidMode":"","Privileged":false,"#
            + #""PublishAllPorts":false,"ReadonlyRootfs":false,"SecurityOpt":null,"UTSMode":"","UsernsMode":"","#
            + #""ShmSize":0,"Isolation":"","CpuShares":0,"Memory":0,"NanoCpus":0,"CgroupParent":"","BlkioWeight":0,"#
            + #""BlkioWeightDevice":[],"BlkioDeviceReadBps":[],"BlkioDeviceWriteBps":[],"BlkioDeviceReadIOps":[],"#
            + #""BlkioDeviceWriteIOps":[],"CpuPeriod":0,"CpuQuota":0,"CpuRealtimePeriod":0,"CpuRealtimeRuntime":0,"#
            + #""CpusetCpus":"","CpusetMems":"","Devices":[],"DeviceCgroupRules":null,"DeviceRequests":null,"#
            + #""MemoryReservation":0,"MemorySwap":0,"MemorySwappiness":-1,"OomKillDisable":false,"PidsLimit":0,"#
            + #""Ulimits":[],"CpuCount":0,"CpuPercent":0,"IOMaximumIOps":0,"IOMaximumBandwidth":0,"#
            + #""MaskedPaths":null,"ReadonlyPaths":null}"#
        let expected =
            #"{"Hostname":"","Domainname":"","User":"","AttachStdin":false,"AttachStdout":true,"AttachStderr":true,"#
            + #""Tty":false,"OpenStdin":false,"StdinOnce":false,"Env":null,"Cmd":["echo","hello"],"Image":"busybox","#
            + #""Volumes":{},"WorkingDir":"","Entrypoint":null,"OnBuild":null,"Labels":{},"HostConfig":"# + host
            + #","NetworkingConfig":{"EndpointsConfig":{"default":{"IPAMConfig":null,"Links":null,"Aliases":null,"#
            + #""MacAddress":"","DriverOpts":null,"GwPriority":0,"NetworkID":"","EndpointID":"","Gateway":"","#
            + #""IPAddress":"","IPPrefixLen":0,"IPv6Gateway":"","GlobalIPv6Address":"","GlobalIPv6PrefixLen":0,"#
            + #""DNSNames":null}}}}"#
        let sent = try body(["--rm", "busybox", "echo", "hello"], of: ContainerRun.command)
        #expect(sent.serialized() == expected)
    }

    @Test(
        "streams are attached as asked",
        arguments: [
            (["busybox"], [false, true, true, false, false]), (["-i", "busybox"], [true, true, true, true, true]),
            (["-it", "busybox"], [true, true, true, true, true]),
            (["-d", "busybox"], [false, false, false, false, false]),
            (["-di", "busybox"], [false, false, false, true, false]),
            (["-a", "stdout", "-i", "busybox"], [false, true, false, true, false]),
        ])
    func streams(_ arguments: [String], _ expected: [Bool]) throws {
        let sent = try body(arguments, of: ContainerRun.command)
        let keys = ["AttachStdin", "AttachStdout", "AttachStderr", "OpenStdin", "StdinOnce"]
        #expect(keys.map { sent[$0]?.bool } == expected)
    }

    @Test(
        "flags end up where docker puts them",
        arguments: [
            (
                ["-p", "8080:80", "-p", "127.0.0.1:9000-9001:9000-9001/udp"], "PortBindings",
                #"{"80/tcp":[{"HostIp":"","HostPort":"8080"}],"9000/udp":[{"HostIp":"127.0.0.1","HostPort":"9000"}],"#
                    + #""9001/udp":[{"HostIp":"127.0.0.1","HostPort":"9001"}]}"#
            ),
            (["-p", "8000-8010:80"], "PortBindings", #"{"80/tcp":[{"HostIp":"","HostPort":"8000-8010"}]}"#),
            (["-p", "[::1]:80:80"], "PortBindings", #"{"80/tcp":[{"HostIp":"::1","HostPort":"80"}]}"#),
            (["--restart", "on-failure:5"], "RestartPolicy", #"{"Name":"on-failure","MaximumRetryCount":5}"#),
            (["-m", "100m"], "Memory", "104857600"), (["--memory-swap", "-1"], "MemorySwap", "-1"),
            (["--cpus", "1.5"], "NanoCpus", "1500000000"),
            (["--cap-add", "net_admin", "--cap-add", "ALL"], "CapAdd", #"["ALL","CAP_NET_ADMIN"]"#),
            (
                ["--ulimit", "nofile=100:200", "--ulimit", "core=1"], "Ulimits",
                #"[{"Name":"core","Hard":1,"Soft":1},{"Name":"nofile","Hard":200,"Soft":100}]"#
            ),
            (
                ["--device", "/dev/zero:/dev/z:r", "--device", "/dev/null"], "Devices",
                #"[{"PathOnHost":"/dev/zero","PathInContainer":"/dev/z","CgroupPermissions":"r"},"#
                    + #"{"PathOnHost":"/dev/null","PathInContainer":"/dev/null","CgroupPermissions":"rwm"}]"#
            ),
            (
                ["--mount", "type=bind,src=/a,dst=/m,readonly"], "Mounts",
                #"[{"Type":"bind","Source":"/a","Target":"/m","ReadOnly":true}]"#
            ),
            (
                ["--mount", "type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1777"], "Mounts",
                #"[{"Type":"tmpfs","Target":"/t","TmpfsOptions":{"SizeBytes":1048576,"Mode":1023}}]"#
            ),
            (["-v", "/a:/b:ro", "-v", "vol:/c"], "Binds", #"["/a:/b:ro","vol:/c"]"#),
            (["--tmpfs", "/t:size=1m"], "Tmpfs", #"{"/t":"size=1m"}"#),
            (
                ["--add-host", "a:1.1.1.1", "--add-host", "b=host-gateway"], "ExtraHosts",
                #"["a:1.1.1.1","b:host-gateway"]"#
            ),
            (["--security-opt", "no-new-privileges"], "SecurityOpt", #"["no-new-privileges"]"#),
            (
                ["--gpus", "all"], "DeviceRequests",
                #"[{"Driver":"","Count":-1,"DeviceIDs":null,"Capabilities":[["gpu"]],"Options":{}}]"#
            ),
            (["--network", "net1"], "NetworkMode", #""net1""#),
            (
                ["--log-opt", "max-size=1m"], "LogConfig",
                #"{"Type":"","Config":{"max-size":"1m"}}"#
            ),
        ])
    func host(_ arguments: [String], _ key: String, _ json: String) throws {
        #expect(try body(arguments + ["busybox"])["HostConfig"]?[key]?.serialized() == json)
    }

    @Test(
        "what belongs to the image's configuration is there",
        arguments: [
            (["-e", "A=1", "-e", "B=2", "-e", "A=3"], "Env", #"["A=3","B=2"]"#),
            (["-l", "x=y", "-l", "a"], "Labels", #"{"a":"","x":"y"}"#),
            (["--entrypoint", ""], "Entrypoint", #"[""]"#), (["-v", "/anon"], "Volumes", #"{"/anon":{}}"#),
            (["--expose", "100-101", "-p", "80"], "ExposedPorts", #"{"100/tcp":{},"101/tcp":{},"80/tcp":{}}"#),
            (
                ["--health-cmd", "true", "--health-interval", "5s"], "Healthcheck",
                #"{"Test":["CMD-SHELL","true"],"Interval":5000000000}"#
            ),
            (["--no-healthcheck"], "Healthcheck", #"{"Test":["NONE"]}"#),
            (["--stop-timeout", "0"], "StopTimeout", "0"),
        ])
    func config(_ arguments: [String], _ key: String, _ json: String) throws {
        #expect(try body(arguments + ["busybox"])[key]?.serialized() == json)
    }

    @Test(
        "values are refused while the command line is read",
        arguments: [
            ("ulimit", "foo=1", "invalid ulimit type: foo"),
            (
                "mount", "type=bind,src=/x,dst=/b,bind-recursive=writable",
                "option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction"
            ),
            (
                "mount", "type=bind,src=/x,dst=/b,bind-recursive=readonly,readonly",
                "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction"
            ),
            ("network", "foo=bar", "invalid field key foo"),
            ("network", "name=a,gw-priority=x", "invalid gw-priority (x): invalid syntax"),
            ("network", "name=a,driver-opt=foo", "invalid key value pair format in driver options"),
        ])
    func refusedValue(_ flag: String, _ value: String, _ reason: String) {
        let expected = FlagError.invalidValue(value: value, flag: "--" + flag, reason: reason)
        #expect(throws: expected) { try body(["--" + flag, value, "busybox"]) }
    }

    @Test(
        "impossible combinations are refused",
        arguments: [
            (["--rm", "--restart", "always"], "conflicting options: cannot specify both --restart and --rm"),
            (["-p", "x"], "invalid containerPort: x"),
            (["-p", "80-82:90-91"], "invalid ranges specified for container and host Ports: 90-91 and 80-82"),
            (["--network", ""], "no name set for network"), (["--pid", "foo"], "--pid: invalid PID mode"),
            (["--security-opt", "foo"], "Invalid --security-opt: \"foo\""),
            (["--mac-address", "foo"], "foo is not a valid mac address"),
            (["--network-alias", "x"], "network-scoped aliases are only supported for user-defined networks"),
            (["--log-driver", "none", "--log-opt", "a=b"], "invalid logging opts for driver none"),
            (["-v", ""], "invalid empty volume spec"),
            (["-v", ":/b"], "invalid spec: :/b: empty section between colons"),
            (["--device", "/dev/x:rz"], "rz is not an absolute path"),
            (["--device", "/dev/x:/y:rz"], "bad mode specified: rz"), (["--device", "x"], "x is not an absolute path"),
            (["--network", "name=a,mac-address=foo"], "foo is not a valid mac address"),
            (
                ["--network", "name=a,ip=1.2.3.4", "--ip", "1.2.3.5"],
                "conflicting options: cannot specify both --ip and per-network IPv4 address"
            ),
            (
                ["--network", "name=a,alias=x", "--network-alias", "y"],
                "conflicting options: cannot specify both --network-alias and per-network alias"
            ),
        ])
    func refused(_ arguments: [String], _ reason: String) {
        #expect { try body(arguments + ["busybox"], of: ContainerRun.command) } throws: {
            ($0 as? RunRefusal)?.reason == reason
        }
    }
}

@Suite("Image names")
struct ImageNameTests {
    @Test(
        "are completed as docker does",
        arguments: [
            ("busybox", "docker.io/library/busybox:latest", "busybox:latest"),
            ("user/app:1.2", "docker.io/user/app:1.2", "user/app:1.2"),
            ("localhost:5000/app", "localhost:5000/app:latest", "localhost:5000/app:latest"),
            ("docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest"),
            (
                "ghcr.io/a/b@sha256:" + String(repeating: "0", count: 64),
                "ghcr.io/a/b@sha256:" + String(repeating: "0", count: 64),
                "ghcr.io/a/b@sha256:" + String(repeating: "0", count: 64)
            ),
        ])
    func completes(_ text: String, _ full: String, _ familiar: String) throws {
        #expect(try ImageName(text).full == full)
        #expect(try ImageName(text).familiarTagged == familiar)
    }

    @Test("are refused when malformed", arguments: ["", "UPPER", "a:", "a//b", "-a", "a@sha256:12", "a b", "a:b:c"])
    func refuses(_ text: String) { #expect(throws: ImageName.Malformed.self) { _ = try ImageName(text) } }
}
