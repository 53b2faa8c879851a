// SPDX-License-Identifier: Apache-2.0
import GoTemplate
import JSON
import LinuxSystem

/// One line of `images`: an image under one of its names.
struct ImageRow {
    private static let columns: [(field: String, title: String)] = [
        ("Repository", "REPOSITORY"), ("Tag", "TAG"), ("ID", "IMAGE ID"), ("CreatedSince", "CREATED"), ("Size", "SIZE"),
    ]
    private static let others: [(field: String, title: String)] = [
        ("Containers", "CONTAINERS"), ("CreatedAt", "CREATED AT"), ("Digest", "DIGEST"), ("SharedSize", "SHARED SIZE"),
        ("UniqueSize", "UNIQUE SIZE"), ("VirtualSize", "SIZE"),
    ]

    static let list = ListFormat(columns, others: others)

    static var listWithDigests: ListFormat {
        var all = columns
        all.insert(("Digest", "DIGEST"), at: 2)
        return ListFormat(all, others: others)
    }

    let id: String
    private let image: JSONValue
    private let repository: String
    private let tag: String
    private let digest: String

    /// The lines of one image: one for each tag, for each digest of a tag if digests are shown, and one with `<none>`
    /// for an image without a name. Digests without a tag are one line for each repository if digests are not shown.
    static func rows(_ image: JSONValue, truncates: Bool, showsDigests: Bool) -> [ImageRow] {
        let fullID = image["Id"]?.string ?? ""
        let id = truncates ? Ellipsis.id(fullID) : fullID
        func row(_ repository: String, _ tag: String, _ digest: String) -> ImageRow {
            ImageRow(id: id, image: image, repository: repository, tag: tag, digest: digest)
        }
        let tags = (image["RepoTags"]?.strings ?? []).filter { $0 != "<none>:<none>" }.compactMap { $0.cutLast(":") }
        let digests = (image["RepoDigests"]?.strings ?? []).filter { $0 != "<none>@<none>" }.compactMap { $0.cut("@") }
        if tags.isEmpty, digests.isEmpty { return [row("<none>", "<none>", "<none>")] }
        var rows: [ImageRow] = []
        for (repository, tag) in tags {
            let own = digests.filter { $0.0 == repository }.map(\.1)
            if !showsDigests || own.isEmpty {
                rows.append(row(repository, tag, "<none>"))
            } else {
                rows += own.map { row(repository, tag, $0) }
            }
        }
        var seen: Set<String> = []
        for (repository, digest) in digests where !tags.contains(where: { $0.0 == repository }) {
            guard showsDigests || seen.insert(repository).inserted else { continue }
            rows.append(row(repository, "<none>", showsDigests ? digest : ""))
        }
        return rows
    }

    var record: TemplateRecord {
        let seconds = image["Created"]?.int ?? 0
        let created = Timestamp(nanoseconds: seconds * 1_000_000_000)
        let age = DurationText.human(seconds: Timestamp.now.seconds - seconds) + " ago"
        func size(_ key: String) -> JSONValue {
            guard let bytes = image[key]?.int, bytes >= 0 else { return "N/A" }
            return .string(SizeText.long(Double(bytes)))
        }
        let (bytes, shared) = (image["Size"]?.int ?? -1, image["SharedSize"]?.int ?? -1)
        let own: JSONValue = bytes < 0 || shared < 0 ? "N/A" : .string(SizeText.long(Double(bytes - shared)))
        let containers = image["Containers"]?.int ?? -1
        return TemplateRecord(
            typeName: "*formatter.imageContext",
            fields: [
                ("Containers", .string(containers < 0 ? "N/A" : "\(containers)")),
                ("CreatedAt", .string(LocalTime.goText(created))), ("CreatedSince", .string(seconds > 0 ? age : "N/A")),
                ("Digest", .string(digest)), ("ID", .string(id)), ("Repository", .string(repository)),
                ("SharedSize", size("SharedSize")), ("Size", .string(SizeText.short(Double(max(0, bytes))))),
                ("Tag", .string(tag)),
                ("UniqueSize", own), ("VirtualSize", .string(SizeText.long(Double(max(0, bytes))))),
            ])
    }
}
