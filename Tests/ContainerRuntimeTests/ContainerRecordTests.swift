// SPDX-License-Identifier: Apache-2.0
import Cgroups
import JSON
import LinuxSystem
import OCISpec
import Testing

@testable import ContainerRuntime

@Suite("What is kept of a container")
struct ContainerRecordTests {
    private func record() throws -> ContainerRecord {
        let spec = try RuntimeSpec([
            "ociVersion": "1.0.2", "process": ["args": ["sh"], "cwd": "/"], "root": ["path": "/r"],
            "annotations": ["b": "2", "a": "1"],
            "hooks": ["poststop": [["path": "/bin/x", "args": ["x"], "timeout": 3]]],
            "linux": ["namespaces": [["type": "mount"], ["type": "pid"]]],
        ])
        return ContainerRecord(
            plan: try ContainerPlan(spec, bundle: FilePath("/b")), id: "c", pid: 7, startTime: 99,
            options: LaunchOptions(bundle: FilePath("/b")), created: "2026-01-02T03:04:05Z",
            cgroup: CgroupLocation(path: "/c", bases: [.init(mountPoint: "/m", path: "/b")]))
    }

    @Test("is read back as it was written")
    func roundTrip() throws {
        let record = try record()
        let again = try ContainerRecord(try JSONValue(parsing: record.json.bytes()))
        #expect(again.json == record.json)
        #expect(again.cgroup == record.cgroup && record.cgroup?.bases.count == 1)
        #expect(again.namespaces == ["pid", "mount"])
        #expect((again.bundle, again.config) == ("/b", "/b/config.json"))
        #expect(again.poststop.map { $0.path } == ["/bin/x"])
    }

    @Test("without cgroups, and of before they had bases")
    func cgroups() throws {
        var value = try record().json
        value.set("cgroupBases", nil)
        #expect(try ContainerRecord(value).cgroup == CgroupLocation(path: "/c"))
        value.set("cgroupPath", nil)
        #expect(try ContainerRecord(value).cgroup == nil)
    }

    @Test("of another version is refused")
    func version() throws {
        var value = try record().json
        value.set("version", 2)
        #expect(throws: RuntimeError("state.json: unknown version")) { _ = try ContainerRecord(value) }
    }

    @Test(
        "with a process that cannot be is refused",
        arguments: [
            ("pid", 2_147_483_648), ("pid", "1"), ("startTime", -1),
            ("startTime", .number(text: "9223372036854775808")),
        ] as [(String, JSONValue)])
    func badProcess(_ key: String, _ number: JSONValue) throws {
        var value = try record().json
        value.set(key, number)
        #expect(throws: RuntimeError("state.json: no pid")) { _ = try ContainerRecord(value) }
    }

    @Test(
        "ids that could be paths are refused",
        arguments: ["", ".", "..", "a/b", "a b", "é", "a\n", String(repeating: "a", count: 1025)])
    func badID(_ id: String) {
        #expect(throws: RuntimeError("invalid container ID format")) { try ContainerStore.check(id) }
    }

    @Test("ids as users give them", arguments: ["a", "A-b_c.d+e", "..a", "0123"])
    func goodID(_ id: String) throws { try ContainerStore.check(id) }
}

@Suite("The home directory by the container's passwd file")
struct HomeDirectoryTests {
    private let passwd = Array(
        "root:x:0:0:root:/root:/bin/sh\nbroken\nu:x:1000:1000::/home/u:/bin/sh\nv:x:1:1:::\n".utf8)

    @Test(arguments: [(0, "/root"), (1000, "/home/u"), (1, "/"), (5, "/")])
    func home(_ uid: UInt32, _ expected: String) {
        #expect(homeDirectory(of: uid, passwd: passwd) == expected)
    }
}
