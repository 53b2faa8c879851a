// SPDX-License-Identifier: Apache-2.0
import ContentStore
import JSON
import LinuxSystem
import Metadata
package import OCISpec

/// A manifest or index as a repository has it.
package struct StoredManifest: Sendable, Equatable {
    package var digest: Digest
    package var mediaType: String
    package var size: Int64

    init(_ row: Row) throws {
        digest = try Digest(row.text("digest"))
        mediaType = try row.text("media_type")
        size = try row.int64("size")
    }
}

/// A manifest on its way in: its bytes are those of the digest, and the document is what they say.
package struct IncomingManifest: Sendable {
    var repository: RepositoryName
    var digest: Digest
    var mediaType: String
    var bytes: [UInt8]
    var document: ImageDocument
    var tags: [String]
}

// MARK: Reading

extension RegistryStore {
    package func manifest(_ repository: RepositoryName, _ reference: ManifestReference) throws -> StoredManifest {
        let row =
            switch reference {
            case .digest(let digest):
                try database.query(
                    "SELECT * FROM manifests WHERE repository = ? AND digest = ?",
                    [.text(repository.string), .text(digest.string)]
                ).first
            case .tag(let tag):
                try database.query(
                    """
                    SELECT manifests.* FROM tags JOIN manifests USING (repository, digest)
                    WHERE repository = ? AND tag = ?
                    """, [.text(repository.string), .text(tag)]
                ).first
            }
        guard let row else { throw APIError(.manifestUnknown, .string(reference.detail)) }
        return try StoredManifest(row)
    }

    func bytes(_ repository: RepositoryName, _ manifest: StoredManifest) throws -> [UInt8] {
        try content.read(repository.manifests, manifest.digest, limit: ImageDocument.maximumBytes)
    }

    /// The blobs and manifests that `document` names and the repository has not.
    private func missing(_ document: ImageDocument, in repository: RepositoryName) throws -> [Digest] {
        let blobs = try document.blobs.filter { try !content.contains(repository.blobs, $0) }
        return try blobs + document.children.filter { try !content.contains(repository.manifests, $0) }
    }

    /// What an image says it is, in its annotations or its configuration's labels; empty if it does not.
    private func description(_ incoming: IncomingManifest) -> String {
        let key = "org.opencontainers.image.description"
        if let text = incoming.document.annotations[key] { return text }
        guard case .manifest(let manifest) = incoming.document,
            let bytes = try? content.read(incoming.repository.blobs, manifest.config.digest, limit: 1 << 20),
            let json = try? JSONValue(parsing: bytes, maximumDepth: 64)
        else { return "" }
        return json["config"]?["Labels"]?[key]?.string ?? ""
    }
}

// MARK: Writing

extension RegistryStore {
    /// Stores a manifest and gives it its tags.
    package func put(_ incoming: IncomingManifest) throws {
        let missing = try missing(incoming.document, in: incoming.repository)
        guard missing.isEmpty else {
            throw APIError(.manifestBlobUnknown, details: missing.map { ["digest": .string($0.string)] })
        }
        let description = description(incoming)
        try changingManifests {
            try content.put(incoming.repository.manifests, incoming.bytes, algorithm: incoming.digest.algorithm)
            try database.write { transaction in
                try Self.insert(transaction, incoming, description)
                try Self.link(transaction, incoming)
                try Self.tag(transaction, incoming)
            }
        }
    }

    private static func insert(
        _ transaction: borrowing Transaction, _ incoming: IncomingManifest, _ description: String
    ) throws {
        let document = incoming.document
        let annotations = document.subject == nil ? "{}" : document.annotations.json.serialized()
        try transaction.execute(
            """
            INSERT OR REPLACE INTO manifests
            (repository, digest, media_type, size, subject, artifact_type, annotations, description, pushed_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .text(incoming.repository.string), .text(incoming.digest.string), .text(incoming.mediaType),
                .int64(Int64(incoming.bytes.count)), .text(document.subject?.string ?? ""),
                .text(document.artifactType), .text(annotations), .text(description),
                .int64(Timestamp.now.nanoseconds),
            ])
    }

    private static func link(_ transaction: borrowing Transaction, _ incoming: IncomingManifest) throws {
        for digest in Set(incoming.document.blobs + incoming.document.children) {
            try transaction.execute(
                "INSERT OR REPLACE INTO links (repository, digest, manifest) VALUES (?, ?, ?)",
                [.text(incoming.repository.string), .text(digest.string), .text(incoming.digest.string)])
        }
    }

    private static func tag(_ transaction: borrowing Transaction, _ incoming: IncomingManifest) throws {
        for tag in incoming.tags {
            try transaction.execute(
                "INSERT OR REPLACE INTO tags (repository, tag, digest) VALUES (?, ?, ?)",
                [.text(incoming.repository.string), .text(tag), .text(incoming.digest.string)])
        }
    }

    /// Removes a tag, or a manifest with all its tags. Its blobs stay until they are collected.
    package func delete(_ repository: RepositoryName, _ reference: ManifestReference) throws {
        switch reference {
        case .tag(let tag):
            let removed = try database.execute(
                "DELETE FROM tags WHERE repository = ? AND tag = ?", [.text(repository.string), .text(tag)])
            if removed == 0 { throw APIError(.manifestUnknown, .string(reference.detail)) }
        case .digest(let digest):
            try changingManifests {
                try deleteManifest(repository.string, digest.string)
                try? content.delete(repository.manifests, digest)  // what stays after a crash here is collected later
            }
        }
    }

    /// Removes the records of a manifest.
    func deleteManifest(_ repository: String, _ digest: String) throws {
        try database.write { transaction in
            let key: [Value] = [.text(repository), .text(digest)]
            let removed = try transaction.execute("DELETE FROM manifests WHERE repository = ? AND digest = ?", key)
            if removed == 0 { throw APIError(.manifestUnknown, .string("unknown manifest digest=" + digest)) }
            try transaction.execute("DELETE FROM tags WHERE repository = ? AND digest = ?", key)
            try transaction.execute("DELETE FROM links WHERE repository = ? AND manifest = ?", key)
        }
    }
}
