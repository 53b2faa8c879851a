// SPDX-License-Identifier: Apache-2.0
import Cgroups
import ShimAPI
import Testing

@Suite("Figures cross the wire as containerd's metrics")
struct StatisticsMessageTests {
    private func filled(isUnified: Bool) -> CgroupStatistics {
        var figures = CgroupStatistics(isUnified: isUnified)
        figures.cpu.total = 9000
        figures.cpu.kernel = 4000
        figures.cpu.user = 5000
        figures.cpu.throttledPeriods = 3
        figures.memory.usage.usage = 4096
        figures.memory.usage.limit = .max
        figures.pids.current = 2
        figures.pids.limit = 10
        figures.blockIO.serviceBytes = [
            .init(major: 8, minor: 0, operation: "Read", value: 1),
            .init(major: 8, minor: 0, operation: "Write", value: 2),
        ]
        figures.hugepages = [.init(pageSize: "2MB")]
        return figures
    }

    @Test("and come back", arguments: [false, true])
    func roundTrip(_ isUnified: Bool) throws {
        var sent = filled(isUnified: isUnified)
        if !isUnified { sent.cpu.perProcessor = [8000, 0, 1000] }
        sent.memory.counters.all = [.init(isUnified ? "inactive_file" : "total_inactive_file", 77)]
        let message = sent.message
        #expect(message.typeURL == "io.containerd.cgroups.v\(isUnified ? 2 : 1).Metrics")
        let found = try CgroupStatistics(messageName: message.messageName, value: message.value)
        let got = try #require(found)
        #expect(got.cpu == sent.cpu)
        #expect(got.pids == sent.pids)
        #expect(got.memory.usage == sent.memory.usage)
        #expect(got.memory.counters[isUnified ? "inactive_file" : "total_inactive_file"] == 77)
        #expect(got.blockIO.serviceBytes == sent.blockIO.serviceBytes)
        #expect(got.hugepages == sent.hugepages)
    }

    @Test("with the field numbers of metrics.proto")
    func golden() {
        var figures = CgroupStatistics(isUnified: false)
        figures.pids.current = 1
        figures.cpu.total = 2
        figures.cpu.perProcessor = [1, 300]
        figures.memory.usage.limit = 5
        #expect(
            figures.message.value == [
                0x12, 2, 8, 1,  // pids { current }
                0x1A, 11, 10, 7, 8, 2, 34, 3, 1, 0xAC, 2, 18, 0,  // cpu { usage { total, per_cpu }, throttling }
                0x22, 14, 0x8A, 2, 2, 8, 5, 0x92, 2, 0, 0x9A, 2, 0, 0xA2, 2, 0,  // memory { usage { limit }, … }
                0x2A, 0, 0x4A, 0,
            ])
    }

    @Test("no other message is one, and no bytes are fatal")
    func others() throws {
        #expect(try CgroupStatistics(messageName: "google.protobuf.Empty", value: []) == nil)
        for length in 0..<40 {
            let message = filled(isUnified: false).message
            _ = try? CgroupStatistics(messageName: message.messageName, value: Array(message.value.prefix(length)))
        }
    }
}
