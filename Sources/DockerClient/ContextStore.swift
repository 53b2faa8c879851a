// SPDX-License-Identifier: Apache-2.0
package import JSON
package import LinuxSystem

/// Contexts, named daemons, in docker's files: `contexts/meta/<sha256 of the name>/meta.json`, and keys for TLS in
/// `contexts/tls/<the same>/docker/{ca,cert,key}.pem`.
package struct ContextStore: Sendable {
    private let root: FilePath

    package init(_ config: ClientConfig) { root = config.directory / "contexts" }

    /// Where the metadata and the keys of a context lie.
    package func metadataDirectory(_ name: String) -> FilePath { root / "meta" / SHA256.hex(name) }
    package func tlsDirectory(_ name: String) -> FilePath { root / "tls" / SHA256.hex(name) }

    private func metadataFile(_ name: String) -> FilePath { metadataDirectory(name) / "meta.json" }

    package func exists(_ name: String) -> Bool { LinuxSystem.exists(metadataFile(name)) }

    /// Whether docker takes the name: two characters at least.
    package static func isValid(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        }
        guard bytes.count >= 2, isLetterOrDigit(bytes[0]) else { return false }
        return bytes.dropFirst().allSatisfy { isLetterOrDigit($0) || [95, 46, 43, 45].contains($0) }
    }

    /// All contexts by name, without the built-in `default`.
    package func list() throws(ClientError) -> [(name: String, metadata: JSONValue)] {
        var found: [(name: String, metadata: JSONValue)] = []
        for entry in (try? listDirectory(root / "meta")) ?? [] {
            guard let bytes = try? readFile(root / "meta" / entry / "meta.json") else { continue }
            guard let metadata = try? JSONValue(parsing: bytes), let name = metadata["Name"]?.string else {
                throw .configuration(
                    "cannot read the metadata of a context: \((root / "meta" / entry).string)/meta.json")
            }
            found.append((name, metadata))
        }
        return found.sorted { $0.name < $1.name }
    }

    package func metadata(_ name: String) throws(ClientError) -> JSONValue {
        let file = metadataFile(name)
        let bytes: [UInt8]
        do throws(SysError) { bytes = try readFile(file) } catch {
            throw .configuration(
                "context \"\(name)\": context not found: open \(file.string): \(error.errno.text)")
        }
        guard let metadata = try? JSONValue(parsing: bytes) else {
            throw .configuration("context \"\(name)\": \(file.string) is not JSON")
        }
        return metadata
    }

    package func save(_ name: String, _ metadata: JSONValue) throws(ClientError) {
        do throws(SysError) {
            try makeDirectories(metadataDirectory(name), mode: 0o755)
            try writeFileAtomically(metadataFile(name), metadata.bytes(), mode: 0o644)
        } catch {
            throw .configuration("cannot save context \"\(name)\": " + error.description)
        }
    }

    /// The keys that a context has for TLS: file names and contents.
    package func keys(_ name: String) -> [(name: String, bytes: [UInt8])] {
        let directory = tlsDirectory(name) / "docker"
        return ["ca.pem", "cert.pem", "key.pem"].compactMap { file in
            (try? readFile(directory / file)).map { (file, $0) }
        }
    }

    /// Replaces all keys; nobody else may read them.
    package func saveKeys(_ name: String, _ keys: [(name: String, bytes: [UInt8])]) throws(ClientError) {
        let directory = tlsDirectory(name)
        do throws(SysError) {
            try? removeTree(directory)
            if keys.isEmpty { return }
            try makeDirectories(directory / "docker", mode: 0o700)
            for key in keys { try writeFileAtomically(directory / "docker" / key.name, key.bytes, mode: 0o600) }
        } catch {
            throw .configuration("cannot save the keys of context \"\(name)\": " + error.description)
        }
    }

    package func remove(_ name: String) {
        try? removeTree(metadataDirectory(name))
        try? removeTree(tlsDirectory(name))
    }

    /// The daemon of a context and how to speak to it.
    package func endpoint(_ name: String) throws(ClientError) -> (host: DaemonHost, tls: TLSOptions?) {
        let endpoint = try metadata(name)["Endpoints"]?["docker"]
        let keys = keys(name).map(\.name)
        let directory = (tlsDirectory(name) / "docker").string + "/"
        func path(_ file: String) -> String? { keys.contains(file) ? directory + file : nil }
        let skips = endpoint?["SkipTLSVerify"]?.bool ?? false
        let tls =
            keys.isEmpty && !skips
            ? nil
            : TLSOptions(
                authority: path("ca.pem"), certificate: path("cert.pem"), key: path("key.pem"), verifies: !skips)
        return (try DaemonHost.parse(endpoint?["Host"]?.string ?? "", usesTLS: tls != nil), tls)
    }
}
