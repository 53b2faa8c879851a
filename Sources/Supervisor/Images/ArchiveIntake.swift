// SPDX-License-Identifier: Apache-2.0
import Archive
import ContentStore
import LinuxSystem
import OCISpec
import Tar

/// Where a file of an archive is, once the archive has passed by.
enum ArchivedFile: Sendable {
    case memory([UInt8])
    case blob(Digest, size: Int64)

    var size: Int64 {
        switch self {
        case .memory(let bytes): Int64(bytes.count)
        case .blob(_, let size): size
        }
    }
}

/// Takes an image archive in as it streams by: large files go straight into the content store, small ones stay in
/// memory, and all can be read by name afterwards, in any order. Blocks.
struct ArchiveIntake: Sendable {
    private let services: ImageServices
    private let namespace: String
    private var files: [String: ArchivedFile] = [:]
    private var links: [String: String] = [:]
    /// Blobs that came to the namespace with this archive.
    private var added: Set<Digest> = []
    private var pinned: [Digest] = []
    /// Bytes of small files, and of names.
    private var inMemory = 0
    private var nameBytes = 0

    private static let smallFile: Int64 = 64 << 10
    private static let maximumInMemory = 16 << 20
    private static let maximumEntries = 100_000
    private static let maximumNameBytes = 16 << 20

    private init(_ services: ImageServices, _ namespace: String) {
        self.services = services
        self.namespace = namespace
    }

    /// Takes in an archive, plain or compressed, to its end. A name that occurs twice means its last occurrence, as in
    /// tar. The caller must call `end` after it has done something with what it needs.
    static func read(
        _ archive: any ByteSource, _ services: ImageServices, _ namespace: String
    ) throws -> ArchiveIntake {
        var intake = ArchiveIntake(services, namespace)
        do {
            let source = try decompressedArchive(archive)
            let reader = TarReader(source)
            while let entry = try reader.next() { try intake.take(entry, reader) }
            try source.drain()  // checksums come last
            return intake
        } catch {
            try? intake.end()
            throw error
        }
    }

    /// Removes the blobs that nothing was done with since they were stored, since no image needs them, and gives the
    /// others up to the collector's rules.
    func end() throws {
        defer { services.pins.unpin(namespace, pinned) }
        for digest in added { try services.content.deleteUntouched(namespace, digest) }
    }

    /// A file, found through at most a few links; nil if there is no such file.
    subscript(_ name: String) -> ArchivedFile? {
        var name = name
        for _ in 0..<8 {
            if let file = files[name] { return file }
            guard let target = links[name] else { return nil }
            name = target
        }
        return nil
    }

    private mutating func take(_ entry: TarEntry, _ reader: TarReader) throws {
        let path = try EntryPath(entry.path)
        let name = path.display
        nameBytes += name.utf8.count + entry.linkTarget.count
        guard files.count + links.count < Self.maximumEntries, nameBytes <= Self.maximumNameBytes else {
            throw ArchiveError("archive has too many entries")
        }
        files[name] = nil
        links[name] = nil
        switch entry.kind {
        case .regular where entry.dataRanges == nil: files[name] = try file(entry, path, name, reader)
        case .hardLink: links[name] = try EntryPath(entry.linkTarget).display
        case .symbolicLink:
            let slash = [UInt8(ascii: "/")]
            let target = path.parent.components.joined(separator: slash) + slash + entry.linkTarget
            links[name] = try EntryPath(target).display
        default: break
        }
    }

    private mutating func file(
        _ entry: TarEntry, _ path: EntryPath, _ name: String, _ reader: TarReader
    ) throws -> ArchivedFile {
        if entry.size <= Self.smallFile, inMemory + Int(entry.size) <= Self.maximumInMemory {
            inMemory += Int(entry.size)
            return .memory(try reader.readAllData(limit: Int(Self.smallFile)))
        }
        let expected = Self.digest(of: path)
        if let expected {
            if added.contains(expected) { return .blob(expected, size: entry.size) }
            pin(expected)
            if try services.content.adopt(namespace, expected) { return .blob(expected, size: entry.size) }
        }
        let ref = "import-\(monotonicNanoseconds())-\(name.prefix(256))"
        let writer = try services.content.writer(namespace, ref: ref, total: entry.size, expected: expected)
        do {
            try reader.copyData { try writer.write($0) }
            return .blob(try commit(writer), size: entry.size)
        } catch {
            writer.discard()
            throw error
        }
    }

    private mutating func commit(_ writer: ContentWriter) throws -> Digest {
        let digest = writer.digest
        if added.contains(digest) {  // the same again, which counts as no use
            writer.discard()
            return digest
        }
        pin(digest)
        do {
            try writer.commit()
            added.insert(digest)
        } catch let error as ServiceError {
            guard error.kind == .alreadyExists else { throw error }
        }
        return digest
    }

    private mutating func pin(_ digest: Digest) {
        services.pins.pin(namespace, digest)
        pinned.append(digest)
    }

    /// The digest that the name of a blob in an image layout states: `blobs/ALGORITHM/HEX`.
    private static func digest(of path: EntryPath) -> Digest? {
        let parts = path.components
        guard parts.count == 3, parts[0] == Array("blobs".utf8) else { return nil }
        return try? Digest(String(decoding: parts[1], as: UTF8.self) + ":" + String(decoding: parts[2], as: UTF8.self))
    }
}

extension TarReader {
    /// Hands on the data of the current entry piece by piece.
    fileprivate func copyData(_ write: (UnsafeRawBufferPointer) throws -> Void) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let count = try readData(into: buffer)
            if count == 0 { return }
            try write(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
        }
    }
}
