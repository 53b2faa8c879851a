// SPDX-License-Identifier: Apache-2.0
import JSON
import Metadata
import OCISpec

/// Which part of a list is wanted: at most `count` entries behind `last`.
struct Page: Sendable {
    /// nil for all of them.
    var count: Int?
    var last: String
}

/// A repository that a search has found.
struct FoundRepository: Sendable {
    var name: String
    /// Empty if no image of it says.
    var description: String
}

extension RegistryStore {
    /// The tags of a repository in the order of their bytes, and whether more follow.
    func tags(_ repository: RepositoryName, _ page: Page) throws -> (entries: [String], hasMore: Bool) {
        let known = try database.query(
            "SELECT 1 FROM manifests WHERE repository = ? LIMIT 1", [.text(repository.string)])
        if known.isEmpty { throw APIError(.nameUnknown, ["name": .string(repository.string)]) }
        return try list(
            "SELECT tag FROM tags WHERE repository = ? AND tag > ? ORDER BY tag", [.text(repository.string)], page)
    }

    /// The repositories with a manifest, likewise.
    func repositories(_ page: Page) throws -> (entries: [String], hasMore: Bool) {
        try list(
            "SELECT DISTINCT repository FROM manifests WHERE repository > ? ORDER BY repository", [], page)
    }

    private func list(
        _ query: String, _ values: [Value], _ page: Page
    ) throws -> (entries: [String], hasMore: Bool) {
        if page.count == 0 { return ([], false) }
        let limit: Int64 = page.count.map { Int64(clamping: $0) } ?? .max - 1
        let rows = try database.query(
            query + " LIMIT ?", values + [.text(page.last), .int64(limit == .max ? limit : limit + 1)])
        let entries = rows.map { $0[0].textValue ?? "" }
        guard Int64(entries.count) > limit else { return (entries, false) }
        return (Array(entries.dropLast()), true)
    }

    /// Repositories whose names contain `text`, and how many there are.
    func search(_ text: String, from offset: Int, count: Int) throws -> (found: [FoundRepository], total: Int64) {
        try database.read { transaction in
            let total = try transaction.first(
                "SELECT COUNT(DISTINCT repository) FROM manifests WHERE instr(repository, ?) > 0", [.text(text)])
            let rows = try transaction.query(
                """
                SELECT DISTINCT repository, (
                    SELECT description FROM manifests AS newest
                    WHERE newest.repository = manifests.repository AND description != ''
                    ORDER BY pushed_at DESC LIMIT 1
                ) AS description
                FROM manifests WHERE instr(repository, ?) > 0 ORDER BY repository LIMIT ? OFFSET ?
                """, [.text(text), .int64(Int64(count)), .int64(Int64(offset))])
            let found = try rows.map {
                FoundRepository(name: try $0.text("repository"), description: $0["description"].textValue ?? "")
            }
            return (found, total?[0].int64Value ?? 0)
        }
    }

    /// Descriptors of the manifests whose subject is `subject`, in the order of their digests.
    ///
    /// - Parameter artifactType: the only type that is wanted; nil for all.
    func referrers(
        _ repository: RepositoryName, _ subject: Digest, artifactType: String?, _ page: Page
    ) throws -> (entries: [JSONValue], hasMore: Bool) {
        let count = min(page.count ?? .max, Self.referrersOnAPage)
        let rows = try database.query(
            """
            SELECT * FROM manifests WHERE repository = ? AND subject = ? AND digest > ?
            AND (?4 IS NULL OR artifact_type = ?4) ORDER BY digest LIMIT ?5
            """,
            [
                .text(repository.string), .text(subject.string), .text(page.last), .text(artifactType),
                .int64(Int64(count) + 1),
            ])
        return (try rows.prefix(count).map { try Self.descriptor($0) }, rows.count > count)
    }

    /// Each entry may have as many annotations as a manifest can hold.
    private static let referrersOnAPage = 50

    private static func descriptor(_ row: Row) throws -> JSONValue {
        let manifest = try StoredManifest(row)
        var json = Descriptor(mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.size).json
        let type = try row.text("artifact_type")
        if !type.isEmpty { json.set("artifactType", .string(type)) }
        let annotations = try JSONValue(parsing: try row.text("annotations"))
        if annotations.members?.isEmpty == false { json.set("annotations", annotations) }
        return json
    }
}
