// SPDX-License-Identifier: Apache-2.0
import JSON
import OCISpec
import Testing

@testable import Confinement

@Suite("Filters are made short and stay the same")
struct FilterCondenserTests {
    /// Every number of calls that there is, those of x32, and the bounds of the type.
    private static let calls: [UInt32] =
        Array(0...470) + Array(0x4000_0000...0x4000_0220) + [0x3FFF_FFFF, 0x7FFF_FFFF, 0x8000_0000, .max]
    private static let architectures: [UInt32] = [x86, 0x4000_0003, 0xC000_00B7, 0]
    private static let values: [UInt64] = [1, 8, 9, 0x28, 0x7E02_0000, 0xFFFF_FFFF, 0x1_0000_0008, .max]
    /// Those whose arguments the rules below ask for, on x86_64, x32 and x86.
    private static let callsWithArguments: [UInt32] = [41, 56, 135, 157, 120, 136, 172, 359]

    private func expectSame(_ long: [UInt8], _ short: [UInt8]) {
        for architecture in FilterCondenserTests.architectures {
            for call in FilterCondenserTests.calls {
                let isSimple = !FilterCondenserTests.callsWithArguments.contains(call & 0x3FFF_FFFF)
                for value in FilterCondenserTests.values.prefix(isSimple ? 1 : .max) {
                    let arguments = [value, value, 0, value]
                    let before = answer(long, call: call, architecture: architecture, arguments: arguments)
                    let after = answer(short, call: call, architecture: architecture, arguments: arguments)
                    if before != after {
                        Issue.record("\(architecture) \(call) \(value): \(before ?? 0), then \(after ?? 0)")
                        return
                    }
                }
            }
        }
    }

    private static let rules: [JSONValue] = [
        [
            "names": [
                "read", "write", "open", "close", "stat", "fstat", "mmap", "brk", "ioctl", "execve", "exit", "fork",
                "wait4", "kill", "getdents64", "openat", "mount", "unshare", "time", "socketcall", "futex",
            ], "action": "SCMP_ACT_ALLOW",
        ],
        [
            "names": ["personality"], "action": "SCMP_ACT_ALLOW",
            "args": [["index": 0, "value": 8, "op": "SCMP_CMP_EQ"]],
        ],
        [
            "names": ["personality"], "action": "SCMP_ACT_ALLOW",
            "args": [["index": 0, "value": 0xFFFF_FFFF, "op": "SCMP_CMP_EQ"]],
        ],
        ["names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [["index": 0, "value": 40, "op": "SCMP_CMP_NE"]]],
        [
            "names": ["clone"], "action": "SCMP_ACT_ALLOW",
            "args": [["index": 0, "value": 0x7E02_0000, "op": "SCMP_CMP_MASKED_EQ"]],
        ],
        ["names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38],
        [
            "names": ["prctl"], "action": "SCMP_ACT_LOG",
            "args": [
                ["index": 0, "value": 8, "op": "SCMP_CMP_GE"],
                ["index": 1, "value": 0x1_0000_0008, "op": "SCMP_CMP_LT"],
            ],
        ],
        ["names": ["ptrace"], "action": "SCMP_ACT_KILL_PROCESS"],
    ]

    @Test(
        "of profiles with all kinds of rules, on one architecture and on three", .enabled(if: isX86),
        arguments: [["SCMP_ARCH_X86_64"], ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]] as [JSONValue],
        ["SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW"] as [JSONValue])
    func profiles(_ architectures: JSONValue, _ action: JSONValue) throws {
        let profile = try profile([
            "defaultAction": action, "architectures": architectures, "syscalls": .array(FilterCondenserTests.rules),
        ])
        let long = try SeccompCompiler.translate(profile)
        let short = FilterCondenser.condense(long)
        expectSame(long, short)
    }

    /// Numbers one after the other, as libseccomp writes them.
    private func list(_ calls: [UInt32]) -> [UInt8] {
        let ends: [[FilterInstruction]] = calls.map {
            [.init(.jumpIfEqual, $0, otherwise: 1), .init(.answer, allow)]
        }
        return ([.init(.load, 0)] + ends.joined() + [.init(.answer, errno(1))]).bytes
    }

    @Test("a long list of calls becomes a short search")
    func shorter() {
        let long = list((0..<400).filter { $0 % 20 != 0 })
        let short = FilterCondenser.condense(long)
        #expect(short.count < long.count / 10)
        expectSame(long, short)
    }

    @Test("jumps lead as far as they have to")
    func farJumps() {
        let long = list((0..<400).map { $0 * 3 })
        let short = FilterCondenser.condense(long)
        #expect(short != long)
        expectSame(long, short)
    }

    @Test(
        "what is not understood stays as it is",
        arguments: [
            [], [1, 2, 3],
            [FilterInstruction(.load, 0), .init(.jumpIfEqual, 1, then: 200), .init(.answer, 0)].bytes,
            [FilterInstruction(.load, 0), .init(.mask, 1), .init(.answer, 0)].bytes,
            [FilterInstruction(.load, 0), .init(.jumpIfAnySet, 1), .init(.answer, 0)].bytes,
            [FilterInstruction(.load, 4), .init(.jumpIfGreater, 1), .init(.answer, 0)].bytes,
            [FilterInstruction(.load, 0), .init(.jump, .max), .init(.answer, 0)].bytes,
            [FilterInstruction(.jumpIfEqual, 0), .init(.answer, 0)].bytes,
            [FilterInstruction(.load, 0)].bytes,
        ] as [[UInt8]])
    func others(_ program: [UInt8]) {
        #expect(FilterCondenser.condense(program) == program)
    }
}
