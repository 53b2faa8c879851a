// SPDX-License-Identifier: Apache-2.0
import CLinux
import JSON
import LinuxSystem
import OCISpec
import Testing

@testable import ContainerRuntime

/// The kernel's side is played by plain files.
@Suite("Shares of caches and memory bandwidth")
final class ResctrlTests {
    private let root: FilePath

    init() throws {
        root = FilePath("/tmp/swrun-resctrl-\(getpid())-\(monotonicNanoseconds())")
        try makeDirectories(root / "info/L3")
        try makeDirectories(root / "info/MB")
    }

    deinit { try? removeTree(root) }

    private func put(_ path: FilePath, _ text: String = "") throws {
        try makeDirectories(path.parent)
        let file = try open(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        try writeAll(file, Array(text.utf8))
    }

    private func group(_ config: RuntimeLinux.IntelRdt) throws -> ResctrlGroup {
        try ResctrlGroup(config, id: "c", root: root)
    }

    @Test("without the hardware, and with names that lead elsewhere, the errors are runc's")
    func errors() throws {
        func text(_ config: RuntimeLinux.IntelRdt) -> String {
            do throws(RuntimeError) { _ = try ResctrlGroup(config, id: "c", root: nil) } catch { return error.message }
            return ""
        }
        #expect(
            text(.init(l3CacheSchema: "L3:0=f"))
                == "intelRdt.l3CacheSchema is specified in config, but Intel RDT/CAT is not enabled")
        #expect(
            text(.init(memBwSchema: "MB:0=10"))
                == "intelRdt.memBwSchema is specified in config, but Intel RDT/MBA is not enabled")
        #expect(text(.init()).hasPrefix("intelRdt is specified in config, but Intel RDT is not enabled"))
        for name in [".", "..", "a/b", "/a"] {
            #expect(text(.init(closID: name)) == "invalid intelRdt.ClosID \"\(name)\"")
        }
    }

    @Test("a group of the container's own is made, filled, measured and removed")
    func own() throws {
        let group = try group(.init(l3CacheSchema: "L3:0=f\nMB:0=100", memBwSchema: "MB:0=20", schemata: ["L3:1=1"]))
        #expect(group.directory == root / "c" && group.isOwn)
        try put(root / "c/schemata")
        try put(root / "c/tasks")
        try group.make()
        try group.add(77)
        #expect(try readText(root / "c/schemata") == "L3:0=f\nMB:0=20\nL3:1=1")
        #expect(try readText(root / "c/tasks") == "77")
        for (path, text) in [
            ("info/L3/cbm_mask", "fff\n"), ("info/L3/num_closids", "16\n"),
            ("schemata", "    L3:0=fff\n    MB:0=100\n"),
            ("info/L3_MON/mon_features", "llc_occupancy\nmbm_total_bytes\n"),
            ("c/mon_data/mon_L3_00/llc_occupancy", "9\n"), ("c/mon_data/mon_L3_00/mbm_total_bytes", "Unavailable\n"),
        ] { try put(root / path, text) }
        let expected: JSONValue = [
            "l3_cache_info": ["cbm_mask": "fff", "num_closids": 16], "l3_cache_schema_root": "L3:0=fff",
            "l3_cache_schema": "L3:0=f", "mem_bw_info": [:], "mem_bw_schema_root": "MB:0=100",
            "mem_bw_schema": "MB:0=20", "mbm_stats": [["mbm_total_bytes": 0, "mbm_local_bytes": 0]],
            "cmt_stats": [["llc_occupancy": 9]],
        ]
        #expect(group.statistics(root).serialized() == expected.serialized())
        try removeTree(root / "c")
        try makeDirectory(root / "c")
        let noted = try #require(ResctrlGroup(try JSONValue(parsing: group.json.bytes())))
        try noted.remove()
        try noted.remove()
        #expect(!exists(root / "c"))
    }

    @Test("a group of others stays, and must have the shares that are asked for")
    func shared() throws {
        try put(root / "gold/schemata", "    MB:0=100;1= 90\n    L3:0=0ff;1=00f\n")
        try put(root / "gold/tasks")
        try put(root / "info/last_cmd_status", "ok\n")
        try group(.init(closID: "gold")).make()
        try group(.init(closID: "gold", l3CacheSchema: "L3:1=F;0=ff", memBwSchema: "MB:1=90")).make()
        for other in ["L3:0=f", "L3:2=f", "L2:0=f", "L3:0", "nonsense"] {
            #expect(throws: RuntimeError.self) { try self.group(.init(closID: "gold", schemata: [other])).make() }
        }
        try group(.init(closID: "gold")).remove()
        #expect(exists(root / "gold"))
        #expect(throws: RuntimeError.self) { try self.group(.init(closID: "none")).make() }
        #expect(try group(.init(closID: "/")).directory == root)
        let failure = #expect(throws: RuntimeError.self) { try self.group(.init(closID: "other")).add(1) }
        #expect(failure?.message.hasSuffix(", last_cmd_status: ok") == true)
    }

    @Test("a container can be measured apart from others in its group")
    func monitoring() throws {
        try put(root / "gold/tasks")
        try put(root / "gold/schemata")
        try put(root / "gold/mon_groups/c/tasks")
        let spec = try RuntimeSpec([
            "ociVersion": "1.3.0", "linux": ["intelRdt": ["closID": "gold", "enableMonitoring": true]],
        ])
        let group = try group(try #require(spec.linux.intelRdt))
        try group.make()
        try group.add(5)
        #expect(try readText(root / "gold/tasks") == "5" && readText(root / "gold/mon_groups/c/tasks") == "5")
        try removeFile(root / "gold/mon_groups/c/tasks")
        try group.remove()
        #expect(!exists(root / "gold/mon_groups/c") && exists(root / "gold/tasks"))
    }
}
