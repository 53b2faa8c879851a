// SPDX-License-Identifier: Apache-2.0
import JSON
import OCISpec
import Testing

@testable import Cgroups

@Suite("Resources become writes to cgroup files")
struct CgroupSettingsTests {
    private let resources: JSONValue = [
        "memory": ["limit": 64_000_000, "swap": 128_000_000, "reservation": 32_000_000],
        "cpu": ["shares": 512, "quota": 50000, "period": 100_000, "cpus": "0-1", "mems": "0"],
        "pids": ["limit": 64],
    ]

    private func lines(_ settings: [CgroupSetting]) -> [String] {
        settings.map { $0.controller + " " + $0.file + "=" + $0.value }
    }

    @Test("of cgroup v1")
    func v1() throws {
        #expect(
            lines(settingsV1(try RuntimeResources(resources))) == [
                "memory memory.limit_in_bytes=64000000", "memory memory.memsw.limit_in_bytes=128000000",
                "memory memory.soft_limit_in_bytes=32000000", "cpu cpu.shares=512", "cpu cpu.cfs_period_us=100000",
                "cpu cpu.cfs_quota_us=50000", "cpuset cpuset.cpus=0-1", "cpuset cpuset.mems=0", "pids pids.max=64",
            ])
    }

    @Test("of cgroup v2, where swap is counted alone")
    func v2() throws {
        #expect(
            lines(settingsV2(try RuntimeResources(resources))) == [
                "memory memory.swap.max=64000000", "memory memory.max=64000000", "memory memory.low=32000000",
                "cpu cpu.weight=59", "cpu cpu.max=50000 100000", "cpuset cpuset.cpus=0-1", "cpuset cpuset.mems=0",
                "pids pids.max=64",
            ])
    }

    @Test("packets are marked and ordered, RDMA devices limited")
    func network() throws {
        let resources = try RuntimeResources([
            "network": ["classID": 1_048_577, "priorities": [["name": "eth0", "priority": 500], ["name": "lo"]]],
            "rdma": ["mlx4_0": ["hcaHandles": 3, "hcaObjects": 10000], "mlx4_1": ["hcaObjects": 5]],
        ])
        let rdma = ["rdma rdma.max=mlx4_0 hca_handle=3 hca_object=10000", "rdma rdma.max=mlx4_1 hca_object=5"]
        #expect(
            lines(settingsV1(resources)) == [
                "net_cls net_cls.classid=1048577", "net_prio net_prio.ifpriomap=eth0 500",
                "net_prio net_prio.ifpriomap=lo 0",
            ] + rdma)
        #expect(lines(settingsV2(resources)).suffix(2) == rdma[...])
    }

    @Test("nothing asked for, nothing written")
    func empty() throws {
        #expect(settingsV1(RuntimeResources()).isEmpty)
        #expect(settingsV2(RuntimeResources()).isEmpty)
    }

    @Test("-1 takes a limit away, and what has no such limit is fine too")
    func unlimited() throws {
        let resources = try RuntimeResources(["memory": ["swap": -1], "pids": ["limit": -1]])
        #expect(settingsV2(resources).map { $0.value } == ["max", "max"])
        #expect(settingsV2(resources).allSatisfy { $0.isOptional })
    }

    @Test("all swap there can be, with memory that has no limit")
    func mostSwap() throws {
        let resources = try RuntimeResources(["memory": ["limit": -1, "swap": .int(.max)]])
        #expect(
            lines(settingsV2(resources)) == [
                "memory memory.swap.max=9223372036854775807", "memory memory.max=max",
            ])
    }

    @Test("the weight of block I/O goes to whichever file there is")
    func blockIOWeight() throws {
        let device = try RuntimeResources(["blockIO": ["weightDevice": [["major": 8, "minor": 1, "weight": 300]]]])
        let value = "=8:1 300"
        #expect(
            lines(settingsV1(device)) == ["blkio blkio.weight_device" + value, "blkio blkio.bfq.weight_device" + value])
        #expect(lines(settingsV2(device)) == ["io io.bfq.weight" + value])
        let resources = try RuntimeResources(["blockIO": ["weight": 500]])
        #expect(lines(settingsV1(resources)) == ["blkio blkio.weight=500", "blkio blkio.bfq.weight=500"])
        #expect(lines(settingsV2(resources)) == ["io io.bfq.weight=500", "io io.weight=4950"])
        #expect((settingsV1(resources) + settingsV2(resources)).allSatisfy { $0.isOptional })
    }

    @Test("shares map to weights at their ends", arguments: [(2, 1), (1024, 100), (100, 17), (262_144, 10000), (0, 1)])
    func shares(_ shares: UInt64, _ expected: UInt64) {
        #expect(weight(shares: shares) == expected)
    }
}
