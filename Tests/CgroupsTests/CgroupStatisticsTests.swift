// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Testing

@testable import Cgroups

@Suite("Figures are read from a cgroup's files")
struct CgroupStatisticsTests {
    /// A directory of files under a fresh place in /tmp, for the length of `body`.
    private func withFiles(
        _ files: [(String, String)], _ body: (FilePath) throws -> Void
    ) throws {
        let place = FilePath("/tmp/cgroup-test-\(UInt64.random(in: 0...UInt64.max))")
        defer { try? removeTree(place) }
        for (name, text) in files {
            let path = place / name
            try makeDirectories(path.parent)
            try writeFileAtomically(path, Array(text.utf8))
        }
        try body(place)
    }

    private func v1(_ place: FilePath, membership: String) -> CgroupFigures {
        let groups = [["cpu", "cpuacct"], ["memory"], ["pids"], ["blkio"], ["hugetlb"]]
        let layout = CgroupLayout(
            hierarchies: groups.map { .init(kind: .v1(controllers: $0), mountPoint: place / $0[0]) })
        return CgroupFigures(layout: layout, membership: membership)
    }

    @Test("of version 1, each controller where the process is")
    func versionOne() throws {
        let files = [
            ("cpu/a/cpuacct.usage", "123456789\n"), ("cpu/a/cpuacct.stat", "user 3\nsystem 2\n"),
            ("cpu/a/cpuacct.usage_percpu", "100000000 23456789 \n"),
            ("cpu/a/cpuacct.usage_all", "cpu user system\n0 70000000 30000000\n1 20000000 3456789\n"),
            ("cpu/a/cpu.stat", "nr_periods 10\nnr_throttled 4\nthrottled_time 55\n"),
            ("memory/b/memory.stat", "cache 10\nrss 20\ntotal_inactive_file 5\n"),
            ("memory/b/memory.usage_in_bytes", "4096\n"), ("memory/b/memory.max_usage_in_bytes", "8192\n"),
            ("memory/b/memory.limit_in_bytes", "9223372036854771712\n"), ("memory/b/memory.failcnt", "7\n"),
            ("memory/b/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"),
            ("pids/a/pids.current", "3\n"), ("pids/a/pids.max", "50\n"),
            ("blkio/a/blkio.throttle.io_serviced_recursive", "8:0 Read 1\n8:0 Total 1\nTotal 1\n"),
            ("blkio/a/blkio.throttle.io_service_bytes_recursive", "8:0 Read 4096\n8:0 Total 4096\nTotal 4096\n"),
            ("hugetlb/a/hugetlb.2MB.usage_in_bytes", "2097152\n"), ("hugetlb/a/hugetlb.2MB.failcnt", "1\n"),
            ("hugetlb/a/hugetlb.2MB.rsvd.usage_in_bytes", "0\n"),
        ]
        try withFiles(files) { place in
            let membership = "5:hugetlb:/a\n4:blkio:/a\n3:pids:/a\n2:memory:/b\n1:cpu,cpuacct:/a\n0::/a"
            let found = v1(place, membership: membership).read()
            #expect(found.cpu.total == 123_456_789)
            #expect((found.cpu.kernel, found.cpu.user) == (20_000_000, 30_000_000))
            #expect(found.cpu.perProcessor == [100_000_000, 23_456_789])
            #expect(found.cpu.perProcessorKernel == [30_000_000, 3_456_789])
            #expect((found.cpu.periods, found.cpu.throttledPeriods, found.cpu.throttledTime) == (10, 4, 55))
            #expect(found.memory.counters["total_inactive_file"] == 5)
            #expect((found.memory.usage.usage, found.memory.usage.peak, found.memory.usage.failures) == (4096, 8192, 7))
            #expect(found.memory.usage.limit == 9_223_372_036_854_771_712)
            #expect(found.memory.events["oom_kill"] == 2)
            #expect((found.pids.current, found.pids.limit) == (3, 50))
            #expect(found.blockIO.serviceBytes.map { $0.operation } == ["Read", "Total"])
            #expect(found.blockIO.serviced.first == .init(major: 8, minor: 0, operation: "Read", value: 1))
            #expect(found.hugepages.map { $0.pageSize } == ["2MB"])
            #expect(found.hugepages.first?.level.usage == 2_097_152)
        }
    }

    @Test("of version 2")
    func versionTwo() throws {
        let files = [
            ("a/cpu.stat", "usage_usec 5000\nuser_usec 3000\nsystem_usec 2000\nnr_periods 1\nthrottled_usec 9\n"),
            ("a/memory.stat", "anon 1\nfile 2\ninactive_file 3\n"), ("a/memory.current", "4096\n"),
            ("a/memory.max", "max\n"), ("a/memory.peak", "5000\n"), ("a/memory.swap.current", "0\n"),
            ("a/memory.swap.max", "1024\n"), ("a/memory.events", "low 0\nmax 6\noom 1\noom_kill 1\n"),
            ("a/pids.current", "2\n"), ("a/pids.max", "max\n"),
            ("a/io.stat", "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n259:1 rbytes=1\n"),
            ("a/hugetlb.1GB.current", "0\n"), ("a/hugetlb.1GB.max", "max\n"), ("a/hugetlb.1GB.rsvd.current", "0\n"),
        ]
        try withFiles(files) { place in
            let layout = CgroupLayout(hierarchies: [.init(kind: .unified, mountPoint: place)])
            let found = CgroupFigures(ContainerCgroup(layout: layout, path: "/a")).read()
            #expect((found.cpu.total, found.cpu.user, found.cpu.kernel) == (5_000_000, 3_000_000, 2_000_000))
            #expect(found.cpu.throttledTime == 9000)
            #expect(
                (found.memory.usage.usage, found.memory.usage.limit, found.memory.usage.failures) == (4096, .max, 6))
            #expect((found.memory.usage.peak, found.memory.swap.limit) == (5000, 1024))
            #expect(found.pids.limit == nil)
            #expect(found.blockIO.serviceBytes.map { $0.value } == [10, 20, 1])
            #expect(found.blockIO.serviced.map { $0.operation } == ["Read", "Write"])
            #expect(found.hugepages.map { $0.pageSize } == ["1GB"])
        }
    }

    @Test("a cgroup that is gone has zeros")
    func gone() {
        let figures = v1(FilePath("/nonexistent"), membership: "2:memory:/b")
        #expect(!figures.exist)
        #expect(figures.read() == CgroupStatistics(isUnified: false))
    }

    @Test("lists of processors", arguments: [("0-2,7", [0, 1, 2, 7]), ("3", [3]), ("", []), ("2-1", []), ("x", [])])
    func lists(_ text: String, _ expected: [UInt64]) {
        #expect(expandedList(text) == expected)
    }
}
