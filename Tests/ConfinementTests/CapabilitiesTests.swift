// SPDX-License-Identifier: Apache-2.0
import JSON
import OCISpec
import Testing

@testable import Confinement

@Suite("Capability sets")
struct CapabilitiesTests {
    @Test("names have the kernel's numbers, in any case and with or without the prefix")
    func names() {
        #expect(capabilityBit("CAP_CHOWN") == 1)
        #expect(capabilityBit("sys_admin") == 1 << 21)
        #expect(capabilityBit("CAP_CHECKPOINT_RESTORE") == 1 << 40)
        #expect(capabilityBit("CAP_NONSENSE") == nil)
        #expect(capabilityNames.count == 41)
    }

    @Test("Docker's default set has Docker's mask")
    func docker() throws {
        let names: JSONValue = [
            "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
            "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL",
            "CAP_AUDIT_WRITE",
        ]
        let process = try RuntimeProcess(["capabilities": ["bounding": names, "permitted": ["CAP_NEW", "CAP_KILL"]]])
        var unknown: [String] = []
        let sets = CapabilitySets(try #require(process.capabilities), unknown: &unknown)
        #expect(sets.bounding == 0xA804_25FB)
        #expect(sets.permitted == 0x20)
        #expect(unknown == ["CAP_NEW"])
    }

    @Test("what the host lacks is left out, and no set keeps what its base lost")
    func limited() {
        var sets = CapabilitySets()
        (sets.bounding, sets.permitted, sets.effective, sets.inheritable, sets.ambient) = (7, 7, 7, 7, 7)
        let limited = sets.limited(to: 5)
        #expect(
            [limited.bounding, limited.permitted, limited.effective, limited.inheritable, limited.ambient] == [
                5, 5, 5, 5, 5,
            ])
        sets.inheritable = 0
        #expect(sets.limited(to: 7).ambient == 0)
    }

    @Test("limits by name")
    func limits() throws {
        let process = try RuntimeProcess([
            "rlimits": [["type": "RLIMIT_NOFILE", "soft": 10, "hard": 20], ["type": "X"]]
        ])
        #expect(try ResourceLimit(process.limits[0]) == ResourceLimit(resource: 7, soft: 10, hard: 20))
        #expect(throws: RuntimeSpecError("invalid rlimit type: X")) { _ = try ResourceLimit(process.limits[1]) }
    }
}
