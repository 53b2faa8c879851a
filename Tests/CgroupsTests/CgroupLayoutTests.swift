// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Testing

@testable import Cgroups

@Suite("Which cgroup hierarchies a host has")
struct CgroupLayoutTests {
    private func layout(_ lines: [String]) -> CgroupLayout {
        CgroupLayout(mountInfo: Array(lines.joined(separator: "\n").utf8))
    }

    @Test("a hybrid host has v1 controllers and an empty unified hierarchy")
    func hybrid() {
        let found = layout([
            "24 1 254:0 / / rw - ext4 /dev/vda rw",
            "30 24 0:26 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755",
            "31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct",
            "32 30 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd",
            "33 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate",
        ])
        #expect(
            found.hierarchies == [
                .init(kind: .v1(controllers: ["cpu", "cpuacct"]), mountPoint: FilePath("/sys/fs/cgroup/cpu,cpuacct")),
                .init(kind: .v1(controllers: ["name=systemd"]), mountPoint: FilePath("/sys/fs/cgroup/systemd")),
                .init(kind: .unified, mountPoint: FilePath("/sys/fs/cgroup/unified")),
            ])
        #expect(!found.isUnifiedOnly)
        #expect(found.hierarchy(with: "cpuacct")?.mountPoint == FilePath("/sys/fs/cgroup/cpu,cpuacct"))
        #expect(found.hierarchy(with: "memory") == nil)
    }

    @Test("one unified hierarchy is v2")
    func unified() {
        let found = layout(["30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"])
        #expect(found.isUnifiedOnly)
    }

    @Test("a hierarchy that is mounted twice counts once; broken lines do not count")
    func duplicates() {
        let line = "31 30 0:27 / /a rw - cgroup cgroup rw,pids"
        #expect(layout([line, line, "", "x", "1 2 3 4 - cgroup"]).hierarchies.count == 1)
    }

    @Test(
        "a container's path cannot climb out of where it begins",
        arguments: [
            ("", "c1", "/c1"), ("/a/b", "c1", "/a/b"), ("a/b", "c1", "/a/b"), ("../../x", "c1", "/x"),
            ("/a/../../..", "c1", "/"),
        ])
    func path(cgroupsPath: String, id: String, expected: String) throws {
        let found = try CgroupLocation(cgroupsPath: cgroupsPath, id: id, layout: layout([])) { "" }
        #expect(found == CgroupLocation(path: expected))
    }

    @Test("a path that is not absolute begins at the caller's own cgroup")
    func own() throws {
        let v1 = layout(["31 30 0:27 / /usr rw - cgroup cgroup rw,pids", "32 30 0:28 / /etc rw - cgroup cgroup rw,cpu"])
        let membership = "2:pids:/bin\n1:cpu:/\n"
        let found = try CgroupLocation(cgroupsPath: "a", id: "c", layout: v1) { membership }
        #expect(found == CgroupLocation(path: "/a", bases: [.init(mountPoint: "/usr", path: "/bin")]))
        let cgroup = ContainerCgroup(layout: v1, location: found)
        #expect(v1.hierarchies.count == 2 && cgroup.location == found)
        #expect(cgroup.layout.hierarchies.map { cgroup.directory(in: $0).string } == ["/usr/bin/a", "/etc/a"])
        let v2 = CgroupLayout(hierarchies: [.init(kind: .unified, mountPoint: FilePath("/usr"))])
        let beside = try CgroupLocation(cgroupsPath: "", id: "c", layout: v2) { "0::/share/doc\n" }
        #expect(beside == CgroupLocation(path: "/c", bases: [.init(mountPoint: "/usr", path: "/share")]))
    }
}
