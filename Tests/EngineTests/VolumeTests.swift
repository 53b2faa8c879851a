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
    func names(_ name: String, _ expected: Bool) { #expect(RestrictedName.isValid(name) == expected) }

    @Test("options of the local driver")
    func options() throws {
        let bind = ["type": "none", "o": "rw,bind", "device": "/x"]
        try LocalDriverOptions.check(bind)
        try LocalDriverOptions.check([:])
        #expect(LocalDriverOptions.bindSource(bind) == FilePath("/x"))
        #expect(LocalDriverOptions.bindSource(["type": "none", "o": "bind", "device": "relative"]) == nil)
        #expect(LocalDriverOptions.request(bind.merging(["o": "bind,ro"]) { $1 })?.isReadOnly == true)
        #expect(LocalDriverOptions.mount(bind) == nil)
        let tmpfs = ["type": "tmpfs", "device": "tmpfs", "o": "size=1m,noexec"]
        try LocalDriverOptions.check(tmpfs)
        let mount = try #require(LocalDriverOptions.mount(tmpfs))
        #expect(mount.call.flags == .noExec && mount.call.data == ["size=1m"])
    }

    @Test(
        "options that the local driver refuses",
        arguments: [
            (["bad": "1"], "invalid option: \"bad\""), (["type": "tmpfs"], "missing required option: \"device\""),
            (["device": "/x"], "missing required option: \"type\""),
            (["o": "bind", "type": "none"], "missing required option: \"device\""),
        ])
    func refusedOptions(_ options: [String: String], _ message: String) {
        #expect(throws: EngineError.invalidArgument(message)) { try LocalDriverOptions.check(options) }
    }

    @Test("one that a container has stays; an anonymous one goes with its container")
    func life() async throws {
        try await withScratch { root in
            let volumes = VolumeService(dataRoot: root)
            let named = try await volumes.use("data", by: "c1")
            #expect(try listDirectory(named.source).isEmpty)
            let anonymous = try await volumes.use(nil, by: "c1")
            await #expect(throws: EngineError.conflict("remove data: volume is in use - [c1]")) {
                try await volumes.remove("data")
            }
            #expect(try await volumes.used().count == 2)
            try await volumes.release(container: "c1", removingAnonymous: true)
            #expect(try await volumes.list().map(\.name) == ["data"])
            #expect(!exists(anonymous.source))
            try await volumes.remove("data")
            #expect(!exists(named.source))
            await #expect(throws: EngineError.notFound("get data: no such volume")) { try await volumes.remove("data") }
            try await volumes.remove("data", force: true)
        }
    }

    @Test("a new volume holds nothing of a removed one, whatever stopped the removal")
    func cutShort() async throws {
        try await withScratch { root in
            let directories = VolumeDirectories(root: root / "volumes")
            let first = VolumeService(dataRoot: root)
            try await first.create(name: "data")
            try writeFileAtomically(directories.data("data") / "secret", [1])
            // As the daemon leaves it that dies after the first step of the removal.
            let aside = try #require(try directories.setAside("data", "0123"))
            let second = VolumeService(dataRoot: root)
            try await second.reconcile(containers: [])
            #expect(try await second.list().isEmpty)
            try await second.create(name: "data")
            #expect(try listDirectory(directories.data("data")).isEmpty)
            await second.sweep?.value
            #expect(!exists(aside))
            #expect(exists(directories.data("data")))
        }
    }

    @Test("a directory with files that is no volume's is not served as a new one; an empty one is in nobody's way")
    func unexpectedDirectory() async throws {
        try await withScratch { root in
            let directories = VolumeDirectories(root: root / "volumes")
            try makeDirectories(directories.data("full"))
            try writeFileAtomically(directories.data("full") / "secret", [1])
            try makeDirectories(directories.data("empty"))
            try makeDirectories(directories.volume("half"))
            let volumes = VolumeService(dataRoot: root)
            try await volumes.create(name: "empty")
            await #expect(throws: EngineError.self) { try await volumes.create(name: "full") }
            #expect(try await volumes.list().map(\.name) == ["empty"])
            try await volumes.reconcile(containers: [])
            #expect(!exists(directories.volume("half")))
            #expect(exists(directories.data("full") / "secret"))
        }
    }

    @Test("pruning counts what it frees, and leaves what is used")
    func pruning() async throws {
        try await withScratch { root in
            let volumes = VolumeService(dataRoot: root)
            let unused = try await volumes.create()
            _ = try await volumes.use("used", by: "c1")
            try writeFileAtomically(volumes.dataDirectory(unused.name) / "file", [UInt8](repeating: 1, count: 5000))
            #expect(await volumes.size(unused.name) == 5000)
            let pruned = try await volumes.prune(all: true) { _ in true }
            #expect(pruned.names == [unused.name])
            #expect(pruned.bytes == 5000)
            #expect(try listDirectory(root / "volumes") == ["used"])
        }
    }

    @Test("records and uses survive a restart; those of unknown containers do not")
    func restart() async throws {
        try await withScratch { root in
            let first = VolumeService(dataRoot: root)
            try await first.create(name: "kept", labels: ["a": "b"], options: [:])
            _ = try await first.use("kept", by: "c1")
            let second = VolumeService(dataRoot: root)
            #expect(try await second.inspect("kept").record.labels == ["a": "b"])
            #expect(try await second.inspect("kept").record.options == nil)
            #expect(try await second.useCounts() == ["kept": 1])
            try await second.reconcile(containers: [])
            #expect(try await second.used().isEmpty)
            #expect(try await second.list().map(\.name) == ["kept"])
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
            try copier.copyContent(
                of: try open(source, OpenFlags.directory), into: try open(target, OpenFlags.directory))
            #expect(try readText(target / "dir/file") == "text")
            #expect(try status(target / "dir/file").st_mode & 0o7777 == 0o640)
            #expect(try status(target / "dir/file").st_ino == status(target / "hard").st_ino)
            #expect(try readLink(target / "link").string == "/etc")
            #expect(exists(target / "dir/sub"))
            #expect(exists(target / "fifo"))
        }
    }

    @Test("a hard link whose first name was swapped for a link elsewhere becomes a file of its own")
    func swapped() async throws {
        try await withScratch { root in
            let (source, target) = (root / "source", root / "target")
            try makeDirectories(source / "a")
            try makeDirectories(source / "b")
            try makeDirectory(target)
            try makeDirectories(root / "outside")
            try writeFileAtomically(source / "a/file", Array("image".utf8))
            try writeFileAtomically(root / "outside/file", Array("host".utf8))
            #expect(link((source / "a/file").string, (source / "b/file").string) == 0)
            let first = try listDirectory(source)[0]  // the copier takes the names in the same order
            let second = first == "a" ? "b" : "a"
            var copier = TreeCopier()
            copier.didCopyDirectory = { name in
                guard name == first else { return }
                _ = try? removeTree(target / first)
                symlink((root / "outside").string, (target / first).string)
            }
            try copier.copyContent(
                of: try open(source, OpenFlags.directory), into: try open(target, OpenFlags.directory))
            #expect(try readText(target / second / "file") == "image")
            #expect(try status(root / "outside/file").st_nlink == 1)
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
            let place = try open(target, O_RDONLY | O_DIRECTORY)
            try ImageContent.copy(layers: [layer], path: "/../evil/../../etc", into: place)
            #expect(try listDirectory(target) == ["inside"])
        }
    }
}
