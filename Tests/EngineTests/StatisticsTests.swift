// SPDX-License-Identifier: Apache-2.0
import Cgroups
import JSON
import LinuxSystem
import Synchronization
import Testing

@testable import Engine

@Suite("Statistics of containers")
struct StatisticsTests {
    private func sample(isUnified: Bool = false, limit: UInt64) -> ContainerSample {
        var figures = CgroupStatistics(isUnified: isUnified)
        figures.cpu.total = 77
        figures.memory.usage.usage = 4096
        figures.memory.usage.limit = limit
        figures.pids.current = 2
        figures.blockIO.serviceBytes = [.init(major: 8, minor: 0, operation: "Read", value: 5)]
        let processors = HostProcessors(parsing: "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2\ncpu1 1 2\nintr 5\n")
        let interfaces = InterfaceCounters.parse(
            """
            Inter-|   Receive  |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls
                lo: 1 1 1 1 0 0 0 0 1 1 1 1 0 0 0 0
              eth0:  100  2  0  1  0 0 0 0  300 4 5 6 0 0 0 0
            """)
        return ContainerSample(
            usage: .init(
                read: Timestamp(nanoseconds: 1_000_000_000), figures: figures, processors: processors,
                interfaces: interfaces, machineMemory: 1 << 30))
    }

    @Test("a running container's document")
    func running() {
        let value = sample(limit: 1 << 62).json(name: "n", id: "i", previous: sample(limit: 0))
        #expect(
            value.members?.map(\.key) == [
                "read", "preread", "pids_stats", "blkio_stats", "num_procs", "storage_stats", "cpu_stats",
                "precpu_stats", "memory_stats", "name", "id", "networks",
            ])
        #expect(value["read"] == "1970-01-01T00:00:01Z")
        #expect(value["preread"] == "1970-01-01T00:00:01Z")
        #expect(value["memory_stats"]?["limit"] == .int(1 << 30))
        #expect(value["pids_stats"] == ["current": 2])
        #expect(value["cpu_stats"]?["system_cpu_usage"] == 280_000_000)
        #expect(value["cpu_stats"]?["online_cpus"] == 2)
        #expect(value["networks"]?.members?.map(\.key) == ["eth0"])
        #expect(value["networks"]?["eth0"]?["rx_dropped"] == 1)
        #expect(value["networks"]?["eth0"]?["tx_bytes"] == 300)
        #expect(value["name"] == "/n")
    }

    @Test("a stopped container's document has nothing but names and zeros")
    func stopped() {
        let value = ContainerSample.stopped.json(name: "n", id: "i", previous: nil)
        #expect(value["read"] == "0001-01-01T00:00:00Z")
        #expect(value["memory_stats"] == [:])
        #expect(value["blkio_stats"]?["sectors_recursive"] == .null)
        #expect(value["cpu_stats"]?["cpu_usage"]?["total_usage"] == 0)
        #expect(value["cpu_stats"]?["system_cpu_usage"] == nil)
        #expect(value["networks"] == nil)
    }

    @Test("cgroup 2 has only the bytes of block devices")
    func unified() {
        let value = sample(isUnified: true, limit: 4096).json(name: "n", id: "i", previous: nil)
        #expect(value["blkio_stats"]?["io_service_bytes_recursive"]?.array?.first?["op"] == "read")
        #expect(value["blkio_stats"]?["io_serviced_recursive"] == .null)
        #expect(value["memory_stats"]?["limit"] == 4096)
        #expect(value["memory_stats"]?["max_usage"] == nil)
    }

    @Test("two clients of one container share one sampler, which ends with the last of them")
    func hub() async {
        let hub = StatisticsHub(interval: .milliseconds(1))
        let taken = Mutex(0)
        let first = hub.subscribe("c") {
            taken.withLock { $0 += 1 }
            return .stopped
        }
        let second = hub.subscribe("c") {
            Issue.record("a second sampler")
            return .stopped
        }
        #expect(hub.watchedCount == 1)
        var count = 0
        for await _ in first {
            count += 1
            if count == 3 { hub.finish("c") }
        }
        for await _ in second {}
        #expect(count >= 3)
        #expect(taken.withLock { $0 } >= 3)
        #expect(hub.watchedCount == 0)
    }
}
