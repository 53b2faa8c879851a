// SPDX-License-Identifier: Apache-2.0
import CLinux
import ContentStore
import LinuxSystem
import Metadata
import OCISpec
import Testing

@Suite("Content store")
final class ContentStoreTests {
    let base: FilePath
    let database: Database
    let store: ContentStore
    let hello = Array("hello".utf8)
    let digest: Digest

    init() throws {
        var template = Array("/tmp/swrun-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SysError("mkdtemp", "/tmp", .current) }
        base = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
        database = try Database(path: base / "meta.db")
        store = try ContentStore(root: base / "content", database: database)
        digest = Digest.sha256(of: "hello")
    }

    deinit { try? removeTree(base) }

    private func kind(_ body: () throws -> Void) -> ErrorKind? {
        do { try body() } catch let error as ServiceError { return error.kind } catch { return .internal }
        return nil
    }

    @Test("hashes as the rest of the world does")
    func hash() {
        #expect(digest.hex == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
        var long = BlobHasher(.sha512)
        long.update([])
        #expect(long.finish().hex.hasPrefix("cf83e1357eefb8bd"))
    }

    @Test("deletes a blob as unused only if nobody has laid claim to it")
    func untouched() throws {
        try store.put("n", hello)
        try store.deleteUntouched("n", digest)
        #expect(try store.list("n").isEmpty)
        #expect(!exists(store.path(of: digest)))
        try store.deleteUntouched("n", digest)
        for claim in [{ _ = try self.store.adopt("n", self.digest) }, { try self.store.put("n", self.hello) }] {
            try store.put("n", hello)
            try claim()
            try store.deleteUntouched("n", digest)
            #expect(try store.contains("n", digest))
            try store.delete("n", digest)
        }
    }

    @Test("stores, reads, lists and deletes a blob")
    func lifecycle() throws {
        #expect(try store.put("n", hello, labels: ["a": "b"]) == digest)
        #expect(try store.read("n", digest, limit: 100) == hello)
        #expect(try store.reader("n", digest).read(at: 1, count: 3) == Array("ell".utf8))
        #expect(try store.reader("n", digest).read(at: 9, count: 3).isEmpty)
        #expect(try store.list("n").map { $0.digest } == [digest])
        #expect(try store.info("n", digest).labels == ["a": "b"])
        #expect(try store.updateLabels("n", digest) { $0["c"] = "d" }.labels.count == 2)
        #expect(kind { _ = try store.read("n", digest, limit: 4) } == .invalidArgument)
        try store.delete("n", digest)
        #expect(kind { _ = try store.reader("n", digest) } == .notFound)
        #expect(!exists(store.path(of: digest)))
    }

    @Test("an interrupted ingest goes on where it stopped, in another life too")
    func resume() throws {
        do {
            let writer = try store.writer("n", ref: "r", total: 5, expected: digest)
            try writer.write(Array("he".utf8))
        }
        let again = try ContentStore(root: base / "content", database: database)
        #expect(try again.status("n", ref: "r").offset == 2)
        #expect(try again.statuses("n").map { $0.ref } == ["r"])
        #expect(try again.statuses("other").isEmpty)
        let writer = try again.writer("n", ref: "r", total: 5, expected: digest)
        #expect(writer.status.offset == 2)
        #expect(kind { try writer.write(hello, at: 1) } == .invalidArgument)
        try writer.write(Array("llo".utf8), at: 2)
        #expect(try writer.commit() == digest)
        #expect(try again.statuses("n").isEmpty)
        #expect(try again.read("n", digest, limit: 10) == hello)
    }

    @Test("an ingest that a crash left before it had its notes is gone in the next life")
    func halfMadeIngest() throws {
        try makeDirectory(base / "content" / "ingest" / "abc", mode: 0o700)
        _ = try store.writer("n", ref: "whole", total: 5, expected: digest)
        let again = try ContentStore(root: base / "content", database: database)
        #expect(!exists(base / "content" / "ingest" / "abc"))
        #expect(try again.statuses("n").map { $0.ref } == ["whole"])
    }

    @Test("bytes of another digest or size never become a blob")
    func verification() throws {
        let writer = try store.writer("n", ref: "r", expected: digest)
        try writer.write(Array("hellO".utf8))
        #expect(kind { try writer.commit() } == .failedPrecondition)
        try writer.write(hello, at: 0)
        #expect(kind { try writer.commit(size: 6) } == .failedPrecondition)
        #expect(try writer.commit(size: 5) == digest)
        #expect(kind { try writer.commit() } == .failedPrecondition)
    }

    @Test("one ref has one writer, and an existing blob has none")
    func exclusion() throws {
        do {
            let writer = try store.writer("n", ref: "r")
            #expect(kind { _ = try store.writer("n", ref: "r") } == .unavailable)
            #expect(kind { try store.abort("n", ref: "r") } == .unavailable)
            _ = try store.writer("other", ref: "r")
            try writer.write(hello)
        }
        try store.abort("n", ref: "r")
        #expect(kind { try store.abort("n", ref: "r") } == .notFound)
        try store.put("n", hello)
        #expect(kind { _ = try store.writer("n", ref: "r", expected: digest) } == .alreadyExists)
        let writer = try store.writer("n", ref: "r")
        try writer.write(hello)
        #expect(kind { try writer.commit(labels: ["k": "v"]) } == .alreadyExists)
        #expect(try store.info("n", digest).labels == ["k": "v"])
    }

    @Test("namespaces share files, not sight")
    func namespaces() throws {
        try store.put("a", hello)
        #expect(try !store.contains("b", digest))
        #expect(kind { _ = try store.writer("b", ref: "r", expected: digest) } == .alreadyExists)
        #expect(try store.contains("b", digest))
        try store.delete("a", digest)
        #expect(try store.read("b", digest, limit: 10) == hello)
        try store.delete("b", digest)
        #expect(!exists(store.path(of: digest)))
    }

    @Test("a file without a record is removed at the start")
    func orphans() throws {
        let orphan = Digest.sha256(of: "orphan")
        try writeFileAtomically(store.path(of: orphan), Array("orphan".utf8))
        try store.put("n", hello)
        _ = try ContentStore(root: base / "content", database: database)
        #expect(!exists(store.path(of: orphan)))
        #expect(exists(store.path(of: digest)))
    }

    @Test("the chain of layers is the specification's")
    func chain() throws {
        let (a, b) = (Digest.sha256(of: "a"), Digest.sha256(of: "b"))
        let chain = ChainID.chain([a, b])
        #expect(chain[0].digest == a)
        #expect(chain[1].digest == Digest.sha256(of: "\(a) \(b)"))
    }
}
