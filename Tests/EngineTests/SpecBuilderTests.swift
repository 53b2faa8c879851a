// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Engine
import JSON
import Testing

@Suite("The runtime spec of a container")
struct SpecBuilderTests {
    static let host = HostFacts(
        architecture: "amd64", capabilities: Capability.names, usesUnifiedCgroups: false, cpuCount: 2)

    static func build(
        config: JSONValue = [:], host: JSONValue = [:], user: ResolvedUser = .init(uid: 0, gid: 0, additionalGIDs: [0]),
        change: (inout SpecInput) -> Void = { _ in }
    ) throws -> JSONValue {
        let hostConfig = try HostConfig(json: host)
        var input = SpecInput(
            id: "abc", config: try ContainerConfig(json: config), hostConfig: hostConfig, user: user,
            security: try SecurityOptions(parsing: hostConfig.list("SecurityOpt")), host: Self.host)
        change(&input)
        return try SpecBuilder(input).build()
    }

    @Test("a plain container is confined as docker confines it")
    func plain() throws {
        let spec = try Self.build(config: ["Cmd": ["sh"], "Hostname": "box", "Env": ["A=b"]])
        #expect(
            spec["process"]?.serialized()
                == #"{"terminal":false,"user":{"uid":0,"gid":0,"additionalGids":[0]},"args":["sh"],"#
                + #""env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","HOSTNAME=box","A=b"],"#
                + #""cwd":"/","capabilities":{"bounding":\#(Self.defaults),"effective":\#(Self.defaults),"#
                + #""permitted":\#(Self.defaults)},"oomScoreAdj":0}"#)
        #expect(spec["hostname"] == "box")
        #expect(spec["linux"]?["cgroupsPath"] == "/swrun/abc")
        #expect(spec["linux"]?["maskedPaths"]?.strings == DefaultPaths.masked)
        #expect(spec["linux"]?["readonlyPaths"]?.strings == DefaultPaths.readonly)
        #expect(
            spec["linux"]?["sysctl"]?.serialized()
                == #"{"net.ipv4.ip_unprivileged_port_start":"0","net.ipv4.ping_group_range":"0 2147483647"}"#)
        #expect(spec["linux"]?["seccomp"]?["defaultAction"] == "SCMP_ACT_ERRNO")
    }

    private static let defaults = JSONValue.strings(Capability.defaults).serialized()

    @Test("a user other than root has an empty set of effective capabilities")
    func otherUser() throws {
        let spec = try Self.build(user: .init(uid: 1000, gid: 1, additionalGIDs: [1]))
        #expect(spec["process"]?["capabilities"]?.members?.map(\.key) == ["bounding"])
    }

    @Test("privileged lifts every restriction")
    func privileged() throws {
        let spec = try Self.build(host: ["Privileged": true])
        let linux = spec["linux"] ?? .null
        #expect(linux["seccomp"] == nil && linux["maskedPaths"] == nil && linux["readonlyPaths"] == nil)
        #expect(linux["resources"]?["devices"]?.serialized() == #"[{"allow":true,"type":"a","access":"rwm"}]"#)
        #expect(spec["process"]?["capabilities"]?["effective"]?.array?.count == 41)
        #expect(Self.options(spec, "/sys").contains("rw") && Self.options(spec, "/sys/fs/cgroup").contains("rw"))
    }

    static func options(_ spec: JSONValue, _ destination: String) -> [String] {
        let mount = spec["mounts"]?.array?.first { $0["destination"]?.string == destination }
        return mount?["options"]?.strings ?? []
    }

    static func destinations(_ spec: JSONValue) -> [String] {
        spec["mounts"]?.array?.compactMap { $0["destination"]?.string } ?? []
    }

    @Test("limits become resources")
    func limits() throws {
        let spec = try Self.build(host: [
            "Memory": 67_108_864, "MemorySwap": 134_217_728, "NanoCpus": 500_000_000, "PidsLimit": 20, "CpuShares": 512,
            "CpusetCpus": "0-1",
        ])
        var resources = spec["linux"]?["resources"] ?? .null
        resources.set("devices", .null)
        #expect(
            resources.serialized()
                == #"{"memory":{"limit":67108864,"swap":134217728},"cpu":{"shares":512,"quota":50000,"#
                + #""period":100000,"cpus":"0-1"},"pids":{"limit":20},"devices":null}"#)
    }

    @Test("namespaces are new, joined or the host's")
    func namespaces() throws {
        let spec = try Self.build { input in
            input.network = .path("/run/netns/x")
            input.pid = .host
            input.cgroup = .host
        }
        #expect(
            spec["linux"]?["namespaces"]?.serialized()
                == #"[{"type":"mount"},{"type":"network","path":"/run/netns/x"},{"type":"uts"},{"type":"ipc"}]"#)
    }

    @Test("nothing of the host's network is changed when it is shared")
    func hostNetwork() throws {
        let spec = try Self.build { $0.network = .host }
        #expect(spec["linux"]?["sysctl"] == nil)
    }

    @Test("the user's mounts and the configuration files come last, parents first, and the user's replace ours")
    func mounts() throws {
        let spec = try Self.build { input in
            input.mounts = ["/a/b", "/a", "/etc", "/dev/shm"].map { destination in
                var mount = MountPoint(.bind, destination: destination)
                mount.source = "/s"
                mount.writable = destination != "/a"
                return mount
            }
            input.configFiles = [("/etc/hosts", "/x/hosts")]
            input.initProgram = "/bin/init"
        }
        #expect(
            Self.destinations(spec) == [
                "/proc", "/dev", "/dev/pts", "/sys", "/sys/fs/cgroup", "/dev/mqueue", "/a", "/etc", "/a/b",
                "/dev/shm", "/etc/hosts", "/sbin/docker-init",
            ])
        #expect(Self.options(spec, "/a") == ["rbind", "rro", "rprivate"])
        #expect(spec["process"]?["args"]?.strings?.prefix(2) == ["/sbin/docker-init", "--"])
    }

    @Test("a read-only root has read-only configuration files")
    func readOnly() throws {
        let spec = try Self.build(host: ["ReadonlyRootfs": true]) { $0.configFiles = [("/etc/hosts", "/x/hosts")] }
        #expect(spec["root"]?.serialized() == #"{"path":"rootfs","readonly":true}"#)
        #expect(Self.options(spec, "/etc/hosts").contains("ro"))
    }

    @Test("a shared mount makes the root shared")
    func propagation() throws {
        let spec = try Self.build { input in
            var mount = MountPoint(.bind, destination: "/m")
            mount.propagation = "rshared"
            input.mounts = [mount]
        }
        #expect(spec["linux"]?["rootfsPropagation"] == "rshared")
        #expect(Self.options(spec, "/m") == ["rbind", "rshared"])
    }

    @Test("ulimits become rlimits, -1 is infinity and the user's win over the daemon's")
    func ulimits() throws {
        let spec = try Self.build(host: ["Ulimits": [["Name": "nofile", "Soft": 5, "Hard": -1]]]) { input in
            input.defaultUlimits = [
                ["Name": "nofile", "Soft": 1, "Hard": 1], ["Name": "core", "Soft": 0, "Hard": 0],
            ]
        }
        #expect(
            spec["process"]?["rlimits"]?.serialized()
                == #"[{"type":"RLIMIT_NOFILE","hard":18446744073709551615,"soft":5},"#
                + #"{"type":"RLIMIT_CORE","hard":0,"soft":0}]"#)
        #expect(throws: SpecError.self) {
            try Self.build(host: ["Ulimits": [["Name": "nofile", "Soft": 9, "Hard": 5]]])
        }
    }

    @Test("device rules are read strictly", arguments: ["c 1:3", "x 1:3 rwm", "c 1 rwm", "c 1:-1 r", "c 1:3 rx", ""])
    func badDeviceRule(_ rule: String) {
        #expect(throws: SpecError.self) { try Self.build(host: ["DeviceCgroupRules": [.string(rule)]]) }
    }

    @Test("a device rule with wildcards is kept")
    func deviceRule() throws {
        let spec = try Self.build(host: ["DeviceCgroupRules": ["b 7:* r"]])
        #expect(
            spec["linux"]?["resources"]?["devices"]?.array?.last?.serialized()
                == #"{"allow":true,"type":"b","major":7,"access":"r"}"#)
    }
}

@Suite("The environment of a process")
struct EnvironmentTests {
    @Test("the user's values replace docker's, and a bare name removes")
    func merge() throws {
        let config = try ContainerConfig(json: ["Hostname": "h", "Tty": true, "Env": ["PATH=/x", "B=1"]])
        #expect(
            Environment.process(config: config, additional: ["B=2", "HOSTNAME", "C="])
                == ["PATH=/x", "TERM=xterm", "B=2", "C="])
    }
}
