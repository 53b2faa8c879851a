// SPDX-License-Identifier: Apache-2.0
import JSON
import OCISpec
import Testing

@testable import Confinement

/// Runs a classic BPF program as the kernel does for a system call: loads and jumps only, as filters have them.
func answer(_ program: [UInt8], call: UInt32, architecture: UInt32, arguments: [UInt64] = []) -> UInt32? {
    var data = [UInt32](repeating: 0, count: 16)
    (data[0], data[1]) = (call, architecture)
    for (index, value) in arguments.enumerated() {
        (data[4 + 2 * index], data[5 + 2 * index]) = (UInt32(truncatingIfNeeded: value), UInt32(value >> 32))
    }
    func word(_ at: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(program[at + $1]) << (8 * UInt32($1)) } }
    var accumulator: UInt32 = 0
    var position = 0
    while position < program.count / 8 {
        let at = position * 8
        let (op, value) = (UInt16(program[at]) | UInt16(program[at + 1]) << 8, word(at + 4))
        position += 1
        var jump: Bool?
        switch op {
        case 0x20: accumulator = data[Int(value) / 4]
        case 0x06: return value
        case 0x05: position += Int(value)
        case 0x15: jump = accumulator == value
        case 0x25: jump = accumulator > value
        case 0x35: jump = accumulator >= value
        case 0x45: jump = accumulator & value != 0
        case 0x54: accumulator &= value
        default: return nil
        }
        if let jump { position += Int(program[at + (jump ? 2 : 3)]) }
    }
    return nil
}

let x86: UInt32 = 0xC000_003E
let allow: UInt32 = 0x7FFF_0000
func errno(_ number: UInt32) -> UInt32 { 0x0005_0000 | number }

func profile(_ value: JSONValue) throws -> RuntimeSeccomp {
    let spec = try RuntimeSpec(["ociVersion": "1.2.0", "linux": ["seccomp": value]])
    return try #require(spec.linux.seccomp)
}

@Suite("Seccomp profiles become filters")
struct SeccompTests {
    @Test("calls above the limit get ENOSYS, all others go on", .enabled(if: isX86))
    func stub() {
        let stub = NewCallStub([
            .init(architecture: x86, highestCall: 400), .init(architecture: 0x4000_0003, highestCall: 350),
        ])
        let program = stub.program + [0x06, 0, 0, 0, 0, 0, 0xFF, 0x7F]  // return ALLOW
        #expect(answer(program, call: 400, architecture: x86) == allow)
        #expect(answer(program, call: 401, architecture: x86) == errno(38))
        #expect(answer(program, call: 0x4000_0001, architecture: x86) == allow, "x32 is the filter's business")
        #expect(answer(program, call: 350, architecture: 0x4000_0003) == allow)
        #expect(answer(program, call: 351, architecture: 0x4000_0003) == errno(38))
        #expect(answer(program, call: 9999, architecture: 0xC000_00B7) == allow)
    }

    @Test("names, errors and conditions", .enabled(if: isX86))
    func compiles() throws {
        let filter = try SeccompCompiler.compile(
            try profile([
                "defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
                "syscalls": [
                    ["names": ["read", "no_such_call"], "action": "SCMP_ACT_ALLOW"],
                    ["names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38],
                    [
                        "names": ["personality"], "action": "SCMP_ACT_ALLOW",
                        "args": [
                            ["index": 0, "value": 8, "op": "SCMP_CMP_EQ"],
                            ["index": 0, "value": 0, "op": "SCMP_CMP_EQ"],
                        ],
                    ],
                ],
            ]))
        #expect(answer(filter.program, call: 0, architecture: x86) == allow)
        #expect(answer(filter.program, call: 1, architecture: x86) == errno(1))
        #expect(answer(filter.program, call: 435, architecture: x86) == errno(38))
        #expect(answer(filter.program, call: 135, architecture: x86, arguments: [8]) == allow)
        #expect(answer(filter.program, call: 135, architecture: x86, arguments: [0]) == allow)
        #expect(answer(filter.program, call: 135, architecture: x86, arguments: [9]) == errno(1))
        #expect(answer(filter.program, call: 436, architecture: x86) == errno(38), "newer than the profile")
    }

    @Test(
        "what cannot be applied is refused",
        arguments: [
            ["defaultAction": "SCMP_ACT_NONSENSE"], ["defaultAction": "SCMP_ACT_NOTIFY"],
            ["defaultAction": "SCMP_ACT_ALLOW", "flags": ["X"]],
            ["defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X"]],
        ] as [JSONValue])
    func refuses(_ value: JSONValue) throws {
        let refused = try profile(value)
        #expect(throws: (any Error).self) { _ = try SeccompCompiler.compile(refused) }
    }

    @Test("a cached filter is found by its whole key only")
    func cacheFile() {
        let filter = SeccompFilter(program: [UInt8](repeating: 7, count: 16), flags: 0x0102_0304)
        let bytes = filter.serialized(key: [1, 2, 3])
        #expect(SeccompFilter(parsing: bytes, key: [1, 2, 3]) == filter)
        #expect(SeccompFilter(parsing: bytes, key: [1, 2, 4]) == nil)
        #expect(SeccompFilter(parsing: bytes, key: [1, 2]) == nil)
        for length in 0..<bytes.count {
            #expect(SeccompFilter(parsing: Array(bytes[..<length]), key: [1, 2, 3]) != filter)
        }
    }
}

#if arch(x86_64)
    let isX86 = true
#else
    let isX86 = false
#endif
