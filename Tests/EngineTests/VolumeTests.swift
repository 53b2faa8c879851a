// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import Testing

@testable import Engine

/// A directory that is gone after the test.
private func withScratch<R>(_ body: (FilePath) async throws -> R) async throws -> R {
    let path = FilePath("/tmp/swrun-unit-\(getpid())-\(monotonicNanoseconds())")
    try makeDirectory(path, mode: 0o700)
    do {
        let result = try await body(path)
        try removeTree(path)
        return result
    } catch {
        try? removeTree(path)
        throw error
    }
}

@Suite("Volumes")
struct VolumeTests {
    @Test(
        "names",
        arguments: [
            ("ab", true), ("a_b.c-1", true), ("0a", true), ("a", false), ("", false), (".a", false), ("a/b", false),
            ("..", false), ("a b", false), ("ä1", false),
        ])
    func names(_ name: String, _ expected: Bool) { #expect(VolumeName.isValid(name) == expected) }

    @Test("options of the local driver")
    func options() throws {
        let bind = ["type": "none", "o": "rw,bind", "device": "/x"]
        try LocalDriverOptions.check(bind)
        try LocalDriverOptions.check([:])
        #expect(LocalDriverOptions.bindSource(bind) == FilePath("/x"))
        #expect(LocalDriverOptions.bindSource(["o": "bind", "device": "relative"]) == nil)
        #expect(throws: EngineError.self) { try LocalDriverOptions.check(["bad": "1"]) }
        let tmpfs = ["type": "tmpfs", "device": "tmpfs", "o": "size=1m"]
        do throws(EngineError) {
            try LocalDriverOptions.check(tmpfs)
            Issue.record("a tmpfs volume was accepted")
        } catch {
            #expect(error.kind == .unimplemented)
        }
    }

    @Test("one that a container has stays; an anonymous one goes with its container")
    func life() async throws {
        try await withScratch { root in
            let volumes = VolumeService(dataRoot: root)
            let named = try await volumes.use("data", by: "c1")
            #expect(named.isEmpty)
            let anonymous = try await volumes.use(nil, by: "c1")
            await #expect(throws: EngineError.conflict("remove data: volume is in use - [c1]")) {
                try await volumes.remove("data")
            }
            #expect(try await volumes.unused().isEmpty)
            try await volumes.release(container: "c1", removingAnonymous: true)
            #expect(try await volumes.list().map(\.name) == ["data"])
            #expect(!exists(anonymous.source))
            try await volumes.remove("data")
            #expect(!exists(named.source))
            await #expect(throws: EngineError.notFound("get data: no such volume")) { try await volumes.remove("data") }
            try await volumes.remove("data", force: true)
        }
    }

    @Test("records and uses survive a restart; those of unknown containers do not")
    func restart() async throws {
        try await withScratch { root in
            let first = VolumeService(dataRoot: root)
            try await first.create(name: "kept", labels: ["a": "b"], options: [:])
            _ = try await first.use("kept", by: "c1")
            let second = VolumeService(dataRoot: root)
            #expect(try await second.inspect("kept").labels == ["a": "b"])
            #expect(try await second.inspect("kept").options == nil)
            #expect(try await second.useCounts() == ["kept": 1])
            try await second.reconcile(containers: [])
            #expect(try await second.unused() == ["kept"])
        }
    }
}

@Suite("Copying image content into a volume")
struct TreeCopierTests {
    @Test("layers come from the options of the overlay mount")
    func layers() {
        let options = ["index=off", "workdir=/w", "upperdir=/u", "lowerdir=/b:/a"]
        #expect(ImageContent.layers(options: options) == [FilePath("/b"), FilePath("/a")])
        #expect(ImageContent.layers(options: ["rbind"]).isEmpty)
    }

    @Test("copies files, links, hard links, directories and modes, and follows nothing")
    func copies() async throws {
        try await withScratch { root in
            let source = root / "source"
            let target = root / "target"
            try makeDirectories(source / "dir/sub", mode: 0o755)
            try makeDirectory(target)
            try writeFileAtomically(source / "dir/file", Array("text".utf8), mode: 0o640)
            #expect(link((source / "dir/file").string, (source / "hard").string) == 0)
            #expect(symlink("/etc", (source / "link").string) == 0)
            #expect(mkfifo((source / "fifo").string, 0o600) == 0)
            var copier = TreeCopier()
            try copier.copyContent(of: try open(source, O_RDONLY_DIRECTORY), into: try open(target, O_RDONLY_DIRECTORY))
            #expect(try readText(target / "dir/file") == "text")
            #expect(try status(target / "dir/file").st_mode & 0o7777 == 0o640)
            #expect(try status(target / "dir/file").st_ino == status(target / "hard").st_ino)
            #expect(try readLink(target / "link").string == "/etc")
            #expect(exists(target / "dir/sub"))
            #expect(exists(target / "fifo"))
        }
    }

    @Test("a path that leads out of the image stays inside it")
    func escape() async throws {
        try await withScratch { root in
            let layer = root / "layer"
            let target = root / "target"
            try makeDirectories(layer / "etc", mode: 0o755)
            try makeDirectory(target)
            try writeFileAtomically(layer / "etc/inside", [])
            #expect(symlink("/etc", (layer / "evil").string) == 0)
            try ImageContent.copy(layers: [layer], path: "/../evil/../../etc", into: target)
            #expect(try listDirectory(target) == ["inside"])
        }
    }
}
