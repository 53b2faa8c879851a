// SPDX-License-Identifier: Apache-2.0
import JSON
import OCISpec
import Testing

@testable import Cgroups

@Suite("A change of limits")
struct CgroupUpdateTests {
    private let stored: JSONValue = [
        "memory": ["limit": 100, "swap": 300], "cpu": ["quota": 5000, "period": 10000, "cpus": "0"],
        "pids": ["limit": 10], "blockIO": ["weight": 500],
    ]

    @Test("takes what the kernel wants together from the limits until now")
    func completed() throws {
        let before = try RuntimeResources(stored)
        func lines(_ changes: JSONValue) throws -> [String] {
            settingsV2(try RuntimeResources(changes).completed(by: before)).map { $0.file + "=" + $0.value }
        }
        #expect(try lines(["memory": ["limit": 200]]) == ["memory.swap.max=100", "memory.max=200"])
        #expect(try lines(["memory": ["swap": 150]]) == ["memory.swap.max=50", "memory.max=100"])
        #expect(try lines(["memory": ["limit": -1]]) == ["memory.swap.max=max", "memory.max=max"])
        #expect(try lines(["cpu": ["period": 20000]]) == ["cpu.max=5000 20000"])
        #expect(try lines(["cpu": ["quota": -1]]) == ["cpu.max=max 10000"])
        #expect(try lines(["pids": ["limit": 0]]).isEmpty)
        #expect(try RuntimeResources(["unified": ["pids.max": "9"]]).limits.unified.map { $0.value } == ["9"])
    }

    @Test("is remembered; what it leaves out stays")
    func updated() throws {
        let before = try RuntimeResources(stored)
        let changes: JSONValue = ["memory": ["limit": 200, "swap": 0], "pids": ["limit": -1], "cpu": ["shares": 7]]
        let after = before.updated(by: try RuntimeResources(changes))
        #expect((after.memory.limit, after.memory.swap, after.pidsLimit) == (200, 300, -1))
        #expect((after.cpu.shares, after.cpu.quota, after.cpu.cpus) == (7, 5000, "0"))
        #expect(after.blockIO.weight == 500)
        #expect(try RuntimeResources(after.limitsJSON) == after)
    }
}
