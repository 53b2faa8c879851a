// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON
import LinuxSystem
import Tar

/// `swrun context export` and `import`: a tar archive of `meta.json` and `tls/docker/*.pem`, as docker writes it.
enum ContextArchive {
    static let exportCommand = Command(
        "context export", usage: "[OPTIONS] CONTEXT [FILE|-]", "Write a context as a tar archive",
        arity: .between(1, 2), run: export)
    static let importCommand = Command(
        "context import", usage: "CONTEXT FILE|-", "Read a context from an archive", arity: .exactly(2),
        run: read)

    private static let limit = 10 << 20

    private static func export(_ call: Invocation) throws {
        let name = call.arguments[0]
        let store = ContextStore(call.config)
        if name != "default", !ContextStore.isValid(name) { try ContextStore.check(name) }
        let target = call.arguments.count > 1 ? call.arguments[1] : name + ".dockercontext"
        if target == "-", call.output.isTerminal {
            throw CommandFailure("cowardly refusing to export to a terminal, specify a file path")
        }
        let archive = try bytes(name, store)
        if target == "-" { return call.output.write(archive) }
        let path = FilePath(target)
        if exists(path) {
            throw CommandFailure("open \(target): file exists")
        }
        do throws(SysError) {
            try writeFileAtomically(path.isAbsolute ? path : FilePath("./" + target), archive, mode: 0o600)
        } catch {
            throw CommandFailure("open \(target): \(error.errno.text)")
        }
        call.output.errorLine("Written file \"\(target)\"")
    }

    private static func bytes(_ name: String, _ store: ContextStore) throws -> [UInt8] {
        var archive: [UInt8] = []
        func add(_ path: String, _ bytes: [UInt8]?, mode: UInt32) {
            var entry = TarEntry(kind: bytes == nil ? .directory : .regular, path: Array(path.utf8))
            entry.mode = mode
            entry.size = Int64(bytes?.count ?? 0)
            archive += TarWriter.header(entry) + (bytes ?? []) + TarWriter.padding(entry.size)
        }
        add("meta.json", try store.metadata(name).bytes(), mode: 0o644)
        add("tls", nil, mode: 0o700)
        let keys = store.keys(name)
        if !keys.isEmpty { add("tls/docker", nil, mode: 0o700) }
        for key in keys { add("tls/docker/" + key.name, key.bytes, mode: 0o600) }
        return archive + TarWriter.end
    }

    private static func read(_ call: Invocation) throws {
        let (name, path) = (call.arguments[0], call.arguments[1])
        let store = ContextStore(call.config)
        try ContextStore.check(name)
        try store.checkAbsent(name)
        let (metadata, keys) = try contents(try input(path))
        guard var metadata, metadata.members != nil else { throw CommandFailure("invalid context: no metadata found") }
        metadata.set("Name", .string(name))
        try store.save(name, metadata)
        try store.saveKeys(name, keys)
        call.output.line(name)
        call.output.errorLine("Successfully imported context \"\(name)\"")
    }

    private static func input(_ path: String) throws -> [UInt8] {
        do throws(SysError) {
            if path != "-" { return try readFile(FilePath(path), limit: limit) }
            var bytes: [UInt8] = []
            while case let piece = try StandardStreams.readInput(), !piece.isEmpty, bytes.count <= limit {
                bytes += piece
            }
            return bytes
        } catch {
            throw CommandFailure("open \(path): \(error.errno.text)")
        }
    }

    /// Nothing of the archive becomes a path of ours: only the names that a context has are taken.
    private static func contents(
        _ bytes: [UInt8]
    ) throws -> (metadata: JSONValue?, keys: [(name: String, bytes: [UInt8])]) {
        var metadata: JSONValue?
        var keys: [(name: String, bytes: [UInt8])] = []
        do {
            // docker's own export leaves the end of the archive out.
            let whole = bytes + TarWriter.padding(Int64(bytes.count)) + TarWriter.end
            let reader = TarReader(MemorySource(whole))
            while let entry = try reader.next() {
                let path = String(decoding: entry.path, as: UTF8.self)
                guard entry.kind == .regular else { continue }
                if path == "meta.json" {
                    metadata = try JSONValue(parsing: try reader.readAllData(limit: limit))
                } else if path.hasPrefix("tls/docker/"),
                    ["ca.pem", "cert.pem", "key.pem"].contains(String(path.dropFirst(11)))
                {
                    keys.append((String(path.dropFirst(11)), try reader.readAllData(limit: limit)))
                } else if path.hasPrefix("tls/"), path.hasSuffix(".pem"), path.split(separator: "/").count == 3 {
                    continue  // for an endpoint of another kind, as old contexts have for Kubernetes
                } else if path != "tls", path != "tls/" {
                    throw CommandFailure("\(path): unexpected context file")
                }
            }
        } catch let failure as CommandFailure { throw failure } catch {
            throw CommandFailure("invalid context archive: \(error)")
        }
        return (metadata, keys)
    }
}

/// Bytes in memory as a stream.
private final class MemorySource: ByteSource {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let piece = rest.prefix(buffer.count)
        buffer.copyBytes(from: piece)
        rest = rest.dropFirst(piece.count)
        return piece.count
    }
}
