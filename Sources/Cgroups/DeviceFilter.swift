// SPDX-License-Identifier: Apache-2.0
package import OCISpec

/// The eBPF program that does for cgroup v2 what the device list does for v1: the kernel calls it with
/// `struct bpf_cgroup_dev_ctx { u32 access_type; u32 major; u32 minor; }` and takes 0 for no.
///
/// The last rule that matches decides, so rules are tested from the last to the first:
/// ```
/// r2 = type, r3 = access, r4 = major, r5 = minor
/// for each rule: unless everything it names is equal, jump to the next; r0 = verdict; exit
/// r0 = 0; exit
/// ```
package struct DeviceFilter: Sendable, Equatable {
    /// Instructions of 8 bytes: opcode, registers, offset (16 bits), immediate (32 bits).
    package private(set) var bytes: [UInt8] = []

    package var instructionCount: Int { bytes.count / 8 }

    package init(_ rules: [RuntimeResources.DeviceRule]) {
        append(Op.loadWord, to: 3, from: 1, offset: 0)
        append(Op.move, to: 2, from: 3)
        append(Op.andImmediate, to: 2, immediate: 0xFFFF)
        append(Op.shiftRightImmediate, to: 3, immediate: 16)
        append(Op.loadWord, to: 4, from: 1, offset: 4)
        append(Op.loadWord, to: 5, from: 1, offset: 8)
        for rule in rules.reversed() {
            append(rule)
            if rule.coversAll { return }
        }
        verdict(false)
    }

    private mutating func append(_ rule: RuntimeResources.DeviceRule) {
        var tests: [(register: UInt8, value: Int32)] = []
        if rule.type != "a" { tests.append((2, rule.type == "b" ? 1 : 2)) }  // BPF_DEVCG_DEV_BLOCK, _CHAR
        if let major = rule.major { tests.append((4, Int32(truncatingIfNeeded: major))) }
        if let minor = rule.minor { tests.append((5, Int32(truncatingIfNeeded: minor))) }
        let mask = accessMask(rule.access)
        let accessLength = mask == 7 ? 0 : 3
        var length = tests.count + accessLength + 2  // what a failed test jumps over, itself included
        for test in tests {
            length -= 1
            append(Op.jumpIfNotEqual, to: test.register, offset: Int16(length), immediate: test.value)
        }
        if accessLength > 0 {
            // An allowing rule must name all that is asked for; a denying one hits if it names any of it.
            append(Op.move, to: 1, from: 3)
            append(Op.andImmediate, to: 1, immediate: mask)
            if rule.isAllowed {
                append(Op.jumpIfNotEqualRegister, to: 1, from: 3, offset: 2)
            } else {
                append(Op.jumpIfEqual, to: 1, offset: 2, immediate: 0)
            }
        }
        verdict(rule.isAllowed)
    }

    private func accessMask(_ access: String) -> Int32 {
        var mask: Int32 = 0
        for letter in access.utf8 {
            switch letter {
            case UInt8(ascii: "m"): mask |= 1
            case UInt8(ascii: "r"): mask |= 2
            default: mask |= 4
            }
        }
        return mask
    }

    private mutating func verdict(_ allowed: Bool) {
        append(Op.moveImmediate, to: 0, immediate: allowed ? 1 : 0)
        append(Op.exit)
    }

    private mutating func append(
        _ op: UInt8, to: UInt8 = 0, from: UInt8 = 0, offset: Int16 = 0, immediate: Int32 = 0
    ) {
        bytes.append(contentsOf: [op, from << 4 | to])
        withUnsafeBytes(of: offset.littleEndian) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: immediate.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// linux/bpf.h
    private enum Op {
        static let loadWord: UInt8 = 0x61
        static let move: UInt8 = 0xBC  // 32 bit
        static let moveImmediate: UInt8 = 0xB7
        static let andImmediate: UInt8 = 0x54
        static let shiftRightImmediate: UInt8 = 0x74
        static let jumpIfEqual: UInt8 = 0x15
        static let jumpIfNotEqual: UInt8 = 0x55
        static let jumpIfNotEqualRegister: UInt8 = 0x5D
        static let exit: UInt8 = 0x95
    }
}
