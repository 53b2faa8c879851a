// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem
import OCISpec
import Testing

@testable import ContainerRuntime

@Suite("A spec becomes a plan")
struct ContainerPlanTests {
    /// A small valid config with some members replaced.
    private func plan(_ changes: [(String, JSONValue)] = [], linux: [(String, JSONValue)] = []) throws -> ContainerPlan
    {
        var value: JSONValue = [
            "ociVersion": "1.2.0", "process": ["args": ["sh"], "cwd": "/"], "root": ["path": "rootfs"],
        ]
        var section: JSONValue = [
            "namespaces": [["type": "mount"], ["type": "pid"], ["type": "network", "path": "/n"]]
        ]
        for (key, change) in linux { section.set(key, change) }
        value.set("linux", section)
        for (key, change) in changes { value.set(key, change) }
        return try ContainerPlan(try RuntimeSpec(value), bundle: FilePath("/bundle"))
    }

    @Test("the small config")
    func small() throws {
        let plan = try plan()
        #expect(plan.rootfs == FilePath("/bundle/rootfs"))
        #expect(plan.namespaces.new == [.mount, .pid])
        #expect(plan.namespaces.joined == [.init(type: .network, path: FilePath("/n"))])
        #expect(plan.namespaces.isSeparate(.network) && !plan.namespaces.isSeparate(.ipc))
        #expect(plan.hostPropagation == .slave)
        #expect(
            plan.devices.map { $0.path }.sorted()
                == ["full", "null", "random", "tty", "urandom", "zero"].map { "/dev/" + $0 })
        #expect(plan.process.umask == 0o022)
    }

    @Test("a device of the spec takes the place of a default one")
    func device() throws {
        let plan = try plan(linux: [
            ("devices", [["type": "c", "path": "/dev/null", "major": 1, "minor": 3, "fileMode": 420]])
        ])
        #expect(plan.devices.filter { $0.path == "/dev/null" }.map { $0.mode } == [0o020644])
    }

    @Test("a bound /dev is left alone")
    func boundDev() throws {
        #expect(
            try !plan([("mounts", [["destination": "/dev", "source": "/dev", "options": ["rbind"]]])]).populatesDev)
        #expect(try plan([("mounts", [["destination": "/dev", "type": "tmpfs"]])]).populatesDev)
    }

    @Test(
        "bad configs and what is said about them",
        arguments: [
            ("process", ["args": ["sh"]], "Cwd property must not be empty"),
            ("process", ["args": ["sh"], "cwd": "tmp"], "Cwd must be an absolute path"),
            ("process", ["cwd": "/"], "args must not be empty"),
            ("process", .null, "process property must not be empty"),
            (
                "process", ["args": ["a"], "cwd": "/", "user": ["uid": 4_000_000_000]],
                "process.user: ids must be in range 0-2147483647"
            ),
            ("root", .null, "root must be specified"),
            ("ociVersion", "2.0.0", "unsupported spec version: 2.0.0"),
            ("hostname", "x", "unable to set hostname without a private UTS namespace"),
        ] as [(String, JSONValue, String)])
    func bad(_ key: String, _ value: JSONValue, _ message: String) {
        #expect(throws: RuntimeError(message)) { _ = try plan([(key, value)]) }
    }

    @Test(
        "bad linux sections",
        arguments: [
            ("namespaces", [["type": "mount"], ["type": "mount"]], "malformed spec file: duplicated ns {\"mount\"}"),
            (
                "timeOffsets", ["monotonic": ["secs": 1]],
                "time namespace offsets specified, but time namespace isn't enabled in the config"
            ),
            ("memoryPolicy", ["nodes": "0"], "invalid memory policy mode \"\""),
            (
                "memoryPolicy", ["mode": "MPOL_BIND", "nodes": "0-9876543210"],
                "invalid memory policy node specification \"0-9876543210\""
            ),
            ("personality", ["domain": "X"], "invalid personality domain: X"),
            (
                "namespaces", [["type": "mount"], ["type": "user"]],
                "user namespaces enabled, but no user mapping found"
            ),
            (
                "uidMappings", [["size": 1]],
                "user namespace mappings specified, but user namespace isn't enabled in the config"
            ),
            ("maskedPaths", ["x"], "masked and read-only paths must be absolute: x"),
            ("rootfsPropagation", "x", "rootfsPropagation=x is not supported"),
            (
                "sysctl", ["kernel.core_pattern": "x"],
                "sysctl \"kernel.core_pattern\" is not in a separate kernel namespace"
            ),
            ("sysctl", ["kernel.shmmax": "1"], "sysctl \"kernel.shmmax\" is not allowed in the hosts ipc namespace"),
            ("sysctl", ["net..x": "1"], "invalid sysctl \"net..x\""),
            (
                "sysctl", ["kernel.hostname": "x"],
                "sysctl \"kernel.hostname\" is not allowed as it conflicts with the OCI \"hostname\" field"
            ),
        ] as [(String, JSONValue, String)])
    func badLinux(_ key: String, _ value: JSONValue, _ message: String) {
        #expect(throws: RuntimeError(message)) { _ = try plan(linux: [(key, value)]) }
    }

    @Test("a sysctl of a namespace of its own is fine")
    func sysctl() throws {
        _ = try plan(linux: [("sysctl", ["net.ipv4.ip_forward": "1"])])
    }

    @Test(
        "a sysctl's key names a file as sysctl(8) reads it",
        arguments: [
            ("net.ipv4.ip_forward", "net/ipv4/ip_forward"), ("net/ipv4/ip_forward", "net/ipv4/ip_forward"),
            ("net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding"),
            ("net/ipv4/conf/eth0.100/forwarding", "net/ipv4/conf/eth0.100/forwarding"), ("x", "x"),
        ])
    func sysctlFile(_ key: String, _ path: String) { #expect(sysctlPath(key) == path) }
}
