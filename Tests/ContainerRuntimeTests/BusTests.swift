// SPDX-License-Identifier: Apache-2.0
import Cgroups
import OCISpec
import Testing

@testable import ContainerRuntime

@Suite("What is said to systemd")
struct BusTests {
    @Test("a call is laid out as the specification says")
    func layout() {
        var message = BusMessage(path: "/o", interface: "", member: "M", arguments: [.string("a"), .boolean(true)])
        message.serial = 7
        let start: [UInt8] = [108, 1, 0, 1, 12, 0, 0, 0, 7, 0, 0, 0]
        let fields: [UInt8] =
            [1, 1, 111, 0, 2, 0, 0, 0, 47, 111, 0, 0, 0, 0, 0, 0]  // path
            + [3, 1, 115, 0, 1, 0, 0, 0, 77, 0, 0, 0, 0, 0, 0, 0]  // member
        let bytes = message.call(to: "d")
        #expect(bytes.starts(with: start))
        #expect(Array(bytes[16..<48]) == fields)
        #expect(Array(bytes.suffix(12)) == [1, 0, 0, 0, 97, 0, 0, 0, 1, 0, 0, 0])
        #expect(BusMessage.length(of: Array(bytes.prefix(16))) == bytes.count)
        let again = BusMessage(bytes)
        #expect(again?.member == "M" && again?.path == "/o" && again?.signature == "sb" && again?.texts == ["a"])
    }

    @Test("an array of structures has the padding before its first element outside of its length")
    func arrays() {
        var writer = BusWriter()
        writer.append(.array([.property("A", .uint64(5))], of: "(sv)"))
        #expect(writer.bytes.prefix(8) == [24, 0, 0, 0, 0, 0, 0, 0] && writer.bytes.count == 32)
        var empty = BusWriter()
        empty.append(.array([], of: "(sv)"))
        #expect(empty.bytes == [0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test("no beginning of a message is read as one")
    func truncated() {
        let bytes = BusMessage(path: "/o", interface: "i", member: "M", arguments: [.strings(["a", "b"])]).call(to: "d")
        for count in 0..<bytes.count { #expect(BusMessage(Array(bytes.prefix(count))) == nil) }
        #expect(BusMessage.length(of: [108, 1, 0, 1] + [UInt8](repeating: 255, count: 12)) == nil)
    }

    @Test("limits as properties")
    func properties() {
        let found = unitProperties([
            CgroupSetting("", "cpu.max", "max 50000", for: ""), CgroupSetting("", "memory.max", "max", for: ""),
            CgroupSetting("", "cpuset.cpus", "0,9", for: ""), CgroupSetting("", "memory.oom.group", "1", for: ""),
        ])
        #expect(
            found == [
                .property("MemoryMax", .uint64(.max)), .property("AllowedCPUs", .bytes([1, 2])),
                .property("CPUQuotaPeriodUSec", .uint64(50000)), .property("CPUQuotaPerSecUSec", .uint64(.max)),
            ])
        let quota = unitProperties([CgroupSetting("", "cpu.cfs_quota_us", "12345", for: "")])
        #expect(quota == [.property("CPUQuotaPerSecUSec", .uint64(130_000))])
    }

    @Test(
        "values in annotations",
        arguments: [
            ("'a b'", .string("a b")), ("\"x\"", .string("x")), ("true", .boolean(true)), ("5", .int32(5)),
            ("uint64 9", .uint64(9)), ("['a', 'b']", .strings(["a", "b"])), ("[1]", nil), ("a", nil), ("", nil),
            ("uint64 -1", nil), ("'", nil),
        ] as [(String, BusValue?)])
    func annotations(text: String, expected: BusValue?) {
        #expect(variant(text) == expected)
    }

    @Test("where a unit's cgroup is")
    func units() throws {
        let unit = try SystemdUnit(cgroupsPath: "a-b.slice:p:n", id: "c", isUser: false)
        #expect(try unit.cgroupPath(below: "/m") == "/m/a.slice/a-b.slice/p-n.scope")
        #expect(SystemdUnit(unit.json) == unit)
        let plain = try SystemdUnit(cgroupsPath: "", id: "c", isUser: true)
        #expect((plain.slice, plain.name) == ("user.slice", "runc-c.scope"))
        #expect(
            try SystemdUnit(cgroupsPath: "-.slice:p:x.slice", id: "c", isUser: false).cgroupPath(below: "")
                == "/x.slice")
        #expect(throws: RuntimeError.self) { try SystemdUnit(cgroupsPath: "a.slice:p:../x", id: "c", isUser: false) }
    }
}
