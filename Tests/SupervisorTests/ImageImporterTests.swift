// SPDX-License-Identifier: Apache-2.0
import ContentStore
import JSON
import LinuxSystem
import Logging
import Metadata
import OCISpec
import Snapshots
import Tar
import Testing
import Threads

@testable import Supervisor

/// Loads archives into a store of its own, without unpacking.
private final class ImportFixture: Sendable {
    let directory: FilePath
    let content: ContentStore
    private let importer: ImageImporter
    private let exporter: ImageExporter

    init() throws {
        directory = FilePath("/tmp/swrun-import-test-\(monotonicNanoseconds())-\(UInt32.random(in: 0 ... .max))")
        try makeDirectory(directory, mode: 0o700)
        let database = try Database(path: directory / "meta.db")
        content = try ContentStore(root: directory / "content", database: database)
        let services = ImageServices(
            content: content, images: try ImageStore(database: database),
            snapshotter: try OverlaySnapshotter(root: directory / "snapshots", database: database),
            pool: BlockingPool(threads: 2), logger: Logger(label: "test"))
        (importer, exporter) = (ImageImporter(services), ImageExporter(services))
    }

    deinit { try? removeTree(directory) }

    /// Sends the archive in pieces of odd size.
    func load(
        _ archive: [UInt8], _ request: ImportRequest = ImportRequest(namespace: "n", unpacked: [])
    ) async throws -> [ImageRecord] {
        let (pieces, sender) = AsyncStream<[UInt8]>.makeStream()
        var rest = archive[...]
        while !rest.isEmpty {
            sender.yield(Array(rest.prefix(10_001)))
            rest = rest.dropFirst(10_001)
        }
        sender.finish()
        return try await importer.load(request, from: pieces) { _ in }
    }

    /// The whole archive of these images.
    func export(_ names: [String]) async throws -> [UInt8] {
        let (pieces, receiver) = AsyncStream<[UInt8]>.makeStream()
        try await exporter.export(
            ExportRequest(namespace: "n", names: names, platforms: [.host]), to: { receiver.yield($0) },
            progress: { _ in })
        receiver.finish()
        return await pieces.reduce(into: []) { $0 += $1 }
    }

    func digests() throws -> Set<String> { Set(try content.list("n").map { $0.digest.string }) }

    func ingests() throws -> [String] { try listDirectory(directory / "content/ingest") }
}

@Suite("Loading an image archive")
struct ImageImporterTests {
    private let fixture: ImportFixture
    private let layer: [UInt8]
    private let config: [UInt8]

    init() throws {
        fixture = try ImportFixture()
        layer = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        config = Array(
            """
            {"architecture":"amd64","os":"linux","config":{},
            "rootfs":{"type":"layers","diff_ids":["\(Digest.sha256(of: layer))"]}}
            """.utf8)
    }

    private func entry(_ name: String, _ data: [UInt8]) -> [UInt8] {
        var entry = TarEntry(kind: .regular, path: Array(name.utf8))
        entry.size = Int64(data.count)
        return TarWriter.header(entry) + data + TarWriter.padding(entry.size)
    }

    private func link(_ name: String, to target: String) -> [UInt8] {
        var entry = TarEntry(kind: .symbolicLink, path: Array(name.utf8))
        entry.linkTarget = Array(target.utf8)
        return TarWriter.header(entry)
    }

    private func manifest(layer: String) -> [UInt8] {
        entry("manifest.json", Array(#"[{"Config":"c.json","RepoTags":["a:b"],"Layers":["\#(layer)"]}]"#.utf8))
    }

    private func message(_ archive: [UInt8]) async -> String {
        do { _ = try await fixture.load(archive) } catch { return "\(error)" }
        return "nothing was wrong"
    }

    @Test("finds the files of docker's archive in any order and through links", arguments: [false, true])
    func dockerArchive(manifestComesFirst: Bool) async throws {
        let files = entry("l.tar", layer) + link("x/layer.tar", to: "../l.tar") + entry("c.json", config)
        let list = manifest(layer: "x/layer.tar")
        let records = try await fixture.load((manifestComesFirst ? list + files : files + list) + TarWriter.end)
        #expect(records.map { $0.name } == ["docker.io/library/a:b"])
        let stored = try fixture.digests()
        #expect(stored.contains(Digest.sha256(of: layer).string))
        #expect(stored.contains(Digest.sha256(of: config).string))
        #expect(stored.count == 3)  // and the manifest
        #expect(try fixture.ingests().isEmpty)
    }

    @Test("keeps nothing that no image names")
    func unnamed() async throws {
        let other = [UInt8](layer.reversed())
        _ = try await fixture.load(
            entry("other", other) + entry("l.tar", other) + entry("l.tar", layer) + entry("c.json", config)
                + manifest(layer: "l.tar") + TarWriter.end)
        #expect(try !fixture.digests().contains(Digest.sha256(of: other).string))
        #expect(try fixture.digests().count == 3)
    }

    @Test("keeps what was there before, even if only a refused archive has it too")
    func known() async throws {
        try fixture.content.put("n", layer)
        #expect(await message(entry("l.tar", layer) + TarWriter.end).contains("neither manifest.json"))
        #expect(try fixture.digests() == [Digest.sha256(of: layer).string])
    }

    @Test("refuses a layer that is not what the config names, and leaves nothing of it")
    func wrongLayer() async throws {
        let wrong = [UInt8](layer.dropLast())
        let text = await message(
            entry("l.tar", wrong) + entry("c.json", config) + manifest(layer: "l.tar") + TarWriter.end)
        #expect(text.contains("unexpected commit digest \(Digest.sha256(of: wrong))"))
        #expect(try !fixture.digests().contains(Digest.sha256(of: wrong).string))
    }

    @Test("refuses a blob whose name is not its digest")
    func wrongBlob() async throws {
        let name = "blobs/sha256/" + Digest.sha256(of: "else").hex
        #expect(await message(entry(name, layer) + TarWriter.end).contains("unexpected commit digest"))
        #expect(try fixture.digests().isEmpty)
        #expect(try fixture.ingests().isEmpty)
    }

    @Test("leaves nothing of an archive that ends too early")
    func truncated() async throws {
        let archive = entry("l.tar", layer) + entry("second.tar", layer.reversed())
        #expect(await message([UInt8](archive.dropLast(70_000))).contains("unexpected end of archive"))
        #expect(try fixture.digests().isEmpty)
        #expect(try fixture.ingests().isEmpty)
    }

    @Test("refuses what is no image archive with the archive's fault")
    func noImage() async throws {
        #expect(await message(entry("file", [1]) + TarWriter.end).contains("neither manifest.json nor an OCI layout"))
        #expect(await message(Array("BZh91AY".utf8)).contains("bzip2: unexpected end of data"))
        #expect(await message(manifest(layer: "l.tar") + TarWriter.end).contains("file c.json is missing"))
    }

    @Test("reads what an export wrote, which is the same each time")
    func roundTrip() async throws {
        let first = try await fixture.load(
            entry("l.tar", layer) + entry("c.json", config) + manifest(layer: "l.tar") + TarWriter.end)
        let archive = try await fixture.export(["docker.io/library/a:b"])
        #expect(try await fixture.export(["docker.io/library/a:b"]) == archive)
        let other = try ImportFixture()
        let second = try await other.load(archive)
        #expect(second.map(\.name) == first.map(\.name) && second.map(\.target.digest) == first.map(\.target.digest))
        #expect(try other.digests() == fixture.digests())
        await #expect(throws: ServiceError.self) { try await fixture.export(["docker.io/library/none:1"]) }
    }

    @Test(
        "names images by the rules of the request",
        arguments: [
            (ImportNaming(name: "e.org/x", isPrefix: true, addsDigest: true), ["e.org/x@"]),
            (ImportNaming(name: "e.org/x", isPrefix: true, takesOthers: true), ["docker.io/library/a:b"]),
            (ImportNaming(name: "docker.io/library/a", isPrefix: true), ["docker.io/library/a:b"]),
            (
                ImportNaming(name: "docker.io/", isPrefix: true, addsDigest: true, skipsDigestOfNamed: true),
                ["docker.io/library/a:b"]
            ), (ImportNaming(name: "e.org/x", isPrefix: true), []), (ImportNaming(name: "e.org/y:1"), ["e.org/y:1"]),
        ])
    func naming(_ rule: ImportNaming, _ expected: [String]) async throws {
        var request = ImportRequest(namespace: "n", unpacked: [])
        (request.naming, request.indexName) = ([rule], "e.org/index:1")
        let records = try await fixture.load(
            entry("l.tar", layer) + entry("c.json", config) + manifest(layer: "l.tar") + TarWriter.end, request)
        #expect(records.first?.name == "e.org/index:1")
        #expect(records.first?.target.mediaType == MediaType.ociIndex)
        let names = records.dropFirst().map {
            $0.name.contains("@") ? String($0.name.prefix { $0 != "@" }) + "@" : $0.name
        }
        #expect(names == expected)
    }
}
