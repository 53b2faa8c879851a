// SPDX-License-Identifier: Apache-2.0
import OCISpec
import Testing

@testable import Cgroups

private typealias Rule = RuntimeResources.DeviceRule

/// What the kernel asks the filter.
private struct Access {
    var type: UInt32
    var access: UInt32
    var major: UInt32
    var minor: UInt32
}

/// Runs a filter's program as the kernel would; nil if it leaves the program or runs too long.
private func verdict(_ filter: DeviceFilter, _ access: Access) -> UInt64? {
    var registers = [UInt64](repeating: 0, count: 11)
    var position = 0
    for _ in 0..<10_000 {
        guard position >= 0, position < filter.instructionCount else { return nil }
        let bytes = Array(filter.bytes[position * 8..<position * 8 + 8])
        let (to, from) = (Int(bytes[1] & 15), Int(bytes[1] >> 4))
        let offset = Int(Int16(truncatingIfNeeded: Int(bytes[2]) | Int(bytes[3]) << 8))
        let value = UInt64(bytes[4]) | UInt64(bytes[5]) << 8 | UInt64(bytes[6]) << 16 | UInt64(bytes[7]) << 24
        position += 1
        switch bytes[0] {
        case 0x61: registers[to] = UInt64([access.type | access.access << 16, access.major, access.minor][offset / 4])
        case 0xBC: registers[to] = registers[from] & 0xFFFF_FFFF
        case 0xB7: registers[to] = value
        case 0x54: registers[to] &= value
        case 0x74: registers[to] >>= value
        case 0x15: if registers[to] == value { position += offset }
        case 0x55: if registers[to] != value { position += offset }
        case 0x5D: if registers[to] != registers[from] { position += offset }
        case 0x95: return registers[0]
        default: return nil
        }
    }
    return nil
}

@Suite("Device rules become an eBPF program")
struct DeviceFilterTests {
    private let read: UInt32 = 2
    private let write: UInt32 = 4
    private let char: UInt32 = 2
    private let block: UInt32 = 1

    @Test("deny all, then the defaults: null may be used, a disk may not")
    func defaults() {
        let filter = DeviceFilter(effectiveDeviceRules([Rule(isAllowed: false)]))
        #expect(verdict(filter, Access(type: char, access: read | write, major: 1, minor: 3)) == 1)
        #expect(verdict(filter, Access(type: char, access: read, major: 136, minor: 77)) == 1)
        #expect(verdict(filter, Access(type: block, access: read, major: 8, minor: 0)) == 0)
        #expect(verdict(filter, Access(type: block, access: 1, major: 8, minor: 0)) == 1, "mknod is allowed")
        #expect(verdict(filter, Access(type: block, access: 1 | read, major: 8, minor: 0)) == 0)
        #expect(verdict(filter, Access(type: char, access: read, major: 10, minor: 229)) == 0, "fuse")
    }

    @Test("the last rule that matches decides")
    func order() {
        let filter = DeviceFilter([
            Rule(isAllowed: true), Rule(isAllowed: false, type: "c", major: 5, access: "w"),
        ])
        #expect(verdict(filter, Access(type: char, access: read, major: 5, minor: 0)) == 1)
        #expect(verdict(filter, Access(type: char, access: read | write, major: 5, minor: 0)) == 0)
        #expect(verdict(filter, Access(type: block, access: write, major: 5, minor: 0)) == 1)
    }

    @Test("without any rule nothing is allowed by the program, and nothing is restricted by the container")
    func empty() {
        #expect(verdict(DeviceFilter([]), Access(type: char, access: read, major: 1, minor: 3)) == 0)
        #expect(effectiveDeviceRules([]).isEmpty)
    }

    @Test("rules as cgroup v1 writes them")
    func v1() {
        #expect(Rule(isAllowed: false).v1Text == "a")
        #expect(Rule(isAllowed: true, type: "c", major: 10, minor: 200, access: "rw").v1Text == "c 10:200 rw")
        #expect(Rule(isAllowed: true, type: "b").v1Text == "b *:* rwm")
        #expect(
            expandedForV1(Rule(isAllowed: true, type: "a", major: 7)).map { $0.v1Text } == ["b 7:* rwm", "c 7:* rwm"])
    }
}
