// SPDX-License-Identifier: Apache-2.0
import GoTemplate
import JSON
import LinuxSystem

/// `system df -v`: one table for each kind of object, or all rows through the user's template.
struct DiskUsageDetails {
    private static let images = ListFormat([
        ("Repository", "REPOSITORY"), ("Tag", "TAG"), ("ID", "IMAGE ID"), ("CreatedSince", "CREATED"),
        ("Size", "SIZE"), ("SharedSize", "SHARED SIZE"), ("UniqueSize", "UNIQUE SIZE"), ("Containers", "CONTAINERS"),
    ])
    private static let containers = ListFormat([
        ("ID", "CONTAINER ID"), ("Image", "IMAGE"), ("Command", "COMMAND"), ("LocalVolumes", "LOCAL VOLUMES"),
        ("Size", "SIZE"), ("RunningFor", "CREATED"), ("Status", "STATUS"), ("Names", "NAMES"),
    ])
    private static let volumes = ListFormat([("Name", "VOLUME NAME"), ("Links", "LINKS"), ("Size", "SIZE")])
    private static let buildCache = ListFormat([
        ("ID", "CACHE ID"), ("CacheType", "CACHE TYPE"), ("Size", "SIZE"), ("CreatedSince", "CREATED"),
        ("LastUsedSince", "LAST USED"), ("UsageCount", "USAGE"), ("Shared", "SHARED"),
    ])

    let usage: JSONValue

    /// - Parameter format: `table`, `json` or a template with `.Images`, `.Containers`, `.Volumes`, `.BuildCache`.
    func render(_ format: String) throws -> String {
        guard format.isEmpty || format == "table" else {
            func all(_ rows: [TemplateRecord]) -> JSONValue { .array(rows.map(\.json)) }
            let record = TemplateRecord(
                typeName: "*formatter.diskUsageContext",
                fields: [
                    ("Images", all(images(truncates: false))), ("Containers", all(containers(truncates: false))),
                    ("Volumes", all(volumes)), ("BuildCache", all(buildCache)),
                ])
            let source = format == "json" ? "{{json .}}" : ListFormat.expandingEscapes(format)
            return try Template(source).render(.record(record)) + "\n"
        }
        let cacheSize = (usage["BuildCache"]?.array ?? []).reduce(0) { $0 + ($1["Size"]?.int ?? 0) }
        return "Images space usage:\n\n" + (try Self.images.render("table", images(truncates: true)))
            + "\nContainers space usage:\n\n" + (try Self.containers.render("table", containers(truncates: true)))
            + "\nLocal Volumes space usage:\n\n" + (try Self.volumes.render("table", volumes))
            + "\nBuild cache usage: " + SizeText.long(Double(cacheSize)) + "\n\n"
            + (try Self.buildCache.render("table", buildCache))
    }

    /// One line for each image, whatever number of names it has.
    private func images(truncates: Bool) -> [TemplateRecord] {
        (usage["Images"]?.array ?? []).compactMap { image in
            ImageRow.rows(image, truncates: truncates, showsDigests: false).first?.record
        }
    }

    /// The size is the container's own alone: its image is counted above.
    private func containers(truncates: Bool) -> [TemplateRecord] {
        (usage["Containers"]?.array ?? []).map { container in
            var record = ContainerRow(container, truncates: truncates).record
            let size = SizeText.short(Double(container["SizeRw"]?.int ?? 0))
            if let index = record.fields.firstIndex(where: { $0.name == "Size" }) {
                record.fields[index].value = .string(size)
            }
            return record
        }
    }

    private var volumes: [TemplateRecord] { (usage["Volumes"]?.array ?? []).map(VolumeList.record) }

    private var buildCache: [TemplateRecord] {
        (usage["BuildCache"]?.array ?? []).map { entry in
            func flag(_ key: String) -> JSONValue { .string(entry[key]?.bool ?? false ? "true" : "false") }
            let created = Timestamp(rfc3339: entry["CreatedAt"]?.string ?? "")
            let used = Timestamp(rfc3339: entry["LastUsedAt"]?.string ?? "")
            return TemplateRecord(
                typeName: "*formatter.buildCacheContext",
                fields: [
                    ("ID", entry["ID"] ?? ""), ("Parent", entry["Parent"] ?? ""), ("CacheType", entry["Type"] ?? ""),
                    ("Description", entry["Description"] ?? ""), ("InUse", flag("InUse")), ("Shared", flag("Shared")),
                    ("Size", .string(SizeText.long(Double(entry["Size"]?.int ?? 0)))),
                    ("CreatedAt", .string(created.map(LocalTime.goText) ?? "")), ("CreatedSince", age(created)),
                    ("LastUsedAt", .string(used.map(LocalTime.goText) ?? "")), ("LastUsedSince", age(used)),
                    ("UsageCount", .string("\(entry["UsageCount"]?.int ?? 0)")),
                ])
        }
    }

    private func age(_ time: Timestamp?) -> JSONValue {
        guard let time else { return "" }
        return .string(DurationText.human(seconds: Timestamp.now.seconds - time.seconds) + " ago")
    }
}
