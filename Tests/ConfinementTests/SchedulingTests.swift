// SPDX-License-Identifier: Apache-2.0
import JSON
import OCISpec
import Testing

@testable import Confinement

@Suite("Scheduling")
struct SchedulingTests {
    @Test("lists of processors and nodes become bits")
    func masks() {
        #expect(bitMask("", below: 8) == [])
        #expect(bitMask("0-3,9", below: 16) == [0x0F, 0x02])
        for bad in ["x", "3-1", "16", "-1", "1-2-3"] { #expect(bitMask(bad, below: 16) == nil, "\(bad)") }
        #expect(ProcessorAffinity.text([0x0F, 0x02]) == "0x20f")
    }

    @Test("what the spec says is what the kernel is told")
    func values() throws {
        let process = try RuntimeProcess([
            "scheduler": ["policy": "SCHED_DEADLINE", "flags": ["SCHED_FLAG_RESET_ON_FORK"], "runtime": 42000],
            "ioPriority": ["class": "IOPRIO_CLASS_BE", "priority": 4],
        ])
        let scheduling = try Scheduling(process)
        #expect(scheduling.scheduler?.policy == 6 && scheduling.scheduler?.flags == 1)
        #expect(scheduling.ioPriority == 16388)  // class 2, priority 4
    }

    @Test(
        "what makes no sense is refused",
        arguments: [
            (["scheduler": ["policy": "SCHED_X"]], "invalid scheduler policy: SCHED_X"),
            (["scheduler": ["policy": "SCHED_BATCH", "nice": 20]], "invalid scheduler.nice: 20"),
            (["ioPriority": ["class": "X"]], "invalid ioPriority.Class: \"X\""),
            (["ioPriority": ["class": "IOPRIO_CLASS_RT", "priority": 8]], "invalid ioPriority.Priority: 8"),
        ] as [(JSONValue, String)])
    func mistakes(_ value: JSONValue, _ message: String) throws {
        let process = try RuntimeProcess(value)
        #expect(throws: RuntimeSpecError(message)) { _ = try Scheduling(process) }
    }
}
