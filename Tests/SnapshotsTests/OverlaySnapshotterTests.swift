// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import Metadata
import Snapshots
import Testing

@Suite("Overlay snapshotter")
final class OverlaySnapshotterTests {
    let base: FilePath
    let database: Database
    let snapshotter: OverlaySnapshotter

    init() throws {
        var template = Array("/tmp/swrun-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SysError("mkdtemp", "/tmp", .current) }
        base = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        database = try Database(path: base / "meta.db")
        snapshotter = try OverlaySnapshotter(root: base / "overlay", database: database)
    }

    deinit { try? removeTree(base) }

    private func upper(_ mounts: [SnapshotMount]) -> FilePath {
        let mount = mounts[0]
        if mount.type == "bind" { return FilePath(mount.source) }
        let option = mount.options.first { $0.hasPrefix("upperdir=") } ?? ""
        return FilePath(String(option.dropFirst("upperdir=".count)))
    }

    @Test("goes through the life of a snapshot") func lifecycle() throws {
        try SnapshotterConformance(snapshotter: snapshotter).checkLifecycle()
    }

    @Test("refuses what the rules refuse") func refusals() throws {
        try SnapshotterConformance(snapshotter: snapshotter).checkRefusals()
    }

    @Test("changes labels") func labels() throws {
        try SnapshotterConformance(snapshotter: snapshotter).checkLabels()
    }

    @Test("mounts one directory as a bind mount and several as an overlay, nearest layer first")
    func mounts() throws {
        let first = try snapshotter.prepare("n", "a")
        #expect(first.map { $0.type } == ["bind"])
        #expect(first[0].options == ["rw", "rbind"])
        try snapshotter.commit("n", name: "A", key: "a")
        let view = try snapshotter.view("n", "v", parent: "A", labels: [:])
        #expect(view == [SnapshotMount(type: "bind", source: first[0].source, options: ["ro", "rbind"])])
        let second = try snapshotter.prepare("n", "b", parent: "A")
        try snapshotter.commit("n", name: "B", key: "b")
        let third = try snapshotter.prepare("n", "c", parent: "B")
        #expect(third.map { $0.type } == ["overlay"])
        #expect(third[0].options.last == "lowerdir=\(upper(second).string):\(first[0].source)")
        let both = try snapshotter.view("n", "w", parent: "B", labels: [:])
        #expect(!both[0].options.contains { $0.hasPrefix("upperdir=") })
    }

    @Test("a child's root directory has its parent's mode")
    func mode() throws {
        let parent = upper(try snapshotter.prepare("n", "a"))
        try #require(chmod(parent.string, 0o1711) == 0)
        try snapshotter.commit("n", name: "A", key: "a")
        let child = upper(try snapshotter.prepare("n", "b", parent: "A"))
        #expect(try status(child).st_mode & 0o7777 == 0o1711)
    }

    @Test("counts the space of a snapshot, hard links once")
    func usage() throws {
        let directory = upper(try snapshotter.prepare("n", "a"))
        try writeFileAtomically(directory / "f", [UInt8](repeating: 1, count: 10_000))
        try #require(link((directory / "f").string, (directory / "g").string) == 0)
        let usage = try snapshotter.usage("n", "a")
        #expect(usage.inodes == 2)
        #expect(usage.bytes >= 10_000 && usage.bytes < 40_000)
        try snapshotter.commit("n", name: "A", key: "a")
        #expect(try snapshotter.usage("n", "A") == usage)
    }

    @Test("a committed snapshot says how long its files are together, whatever they take on disk")
    func size() throws {
        let directory = upper(try snapshotter.prepare("n", "a"))
        try writeFileAtomically(directory / "f", [UInt8](repeating: 1, count: 10_000))
        let sparse = try open(directory / "sparse", O_WRONLY | O_CREAT, mode: 0o600)
        try #require(ftruncate(sparse.raw, 1 << 32) == 0)
        try snapshotter.commit("n", name: "A", key: "a", labels: ["x": "y"], durability: .later)
        let info = try snapshotter.stat("n", "A")
        #expect(
            info.labels == [
                "x": "y", "io.swrun.snapshot.bytes": "4294977296",
                "containerd.io/snapshot/overlay.upperdir": directory.string,
            ])
        #expect(try snapshotter.list("n") == [info])
        #expect(try snapshotter.usage("n", "A").bytes < 1 << 20)
    }

    @Test("removes at its start what a crash left behind")
    func cleanup() throws {
        let kept = upper(try snapshotter.prepare("n", "a"))
        try makeDirectories(base / "overlay" / "999" / "fs")
        let again = try OverlaySnapshotter(root: base / "overlay", database: database)
        #expect(!exists(base / "overlay" / "999"))
        #expect(exists(kept))
        #expect(try again.stat("n", "a").kind == .active)
    }

    @Test("forgets layers that were never flushed when the machine went down, and what stands on them")
    func unflushed() throws {
        for (name, parent) in [("A", ""), ("B", "A"), ("C", "B")] {
            _ = try snapshotter.prepare("n", "key", parent: parent)
            let durability: SnapshotDurability = name == "B" ? .later : .now
            try snapshotter.commit("n", name: name, key: "key", labels: [:], durability: durability)
        }
        _ = try OverlaySnapshotter(root: base / "overlay", database: database)
        #expect(try snapshotter.list("n").count == 3, "the same boot keeps the page cache")
        try database.execute("UPDATE snapshots SET unflushed_boot = 'an earlier one' WHERE unflushed_boot IS NOT NULL")
        _ = try OverlaySnapshotter(root: base / "overlay", database: database)
        #expect(try snapshotter.list("n").map { $0.name } == ["A"])
        #expect(try listDirectory(base / "overlay").count == 1)
    }

    @Test("a flush makes layers safe from that")
    func flushed() throws {
        _ = try snapshotter.prepare("n", "key")
        try snapshotter.commit("n", name: "A", key: "key", labels: [:], durability: .later)
        try snapshotter.makeDurable("n", ["A"])
        #expect(try database.query("SELECT 1 FROM snapshots WHERE unflushed_boot IS NOT NULL").isEmpty)
    }
}
