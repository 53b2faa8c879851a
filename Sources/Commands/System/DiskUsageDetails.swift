// SPDX-License-Identifier: Apache-2.0
import GoTemplate
import JSON
import LinuxSystem

/// `system df -v`: one table for each kind of object.
struct DiskUsageDetails {
    let usage: JSONValue

    func show(_ call: Invocation) throws {
        var out = "Images space usage:\n\n" + (try images())
        out += "\nContainers space usage:\n\n" + (try containers())
        out += "\nLocal Volumes space usage:\n\n" + (try volumes())
        let cache = (usage["BuildCache"]?.array ?? []).reduce(0) { $0 + ($1["Size"]?.int ?? 0) }
        out += "\nBuild cache usage: " + SizeText.long(Double(cache)) + "\n\n"
        out += try ListFormat([
            ("ID", "CACHE ID"), ("Type", "CACHE TYPE"), ("Size", "SIZE"), ("CreatedSince", "CREATED"),
            ("LastUsedSince", "LAST USED"), ("UsageCount", "USAGE"), ("Shared", "SHARED"),
        ]).render("table", [])
        call.output.write(out)
    }

    private func images() throws -> String {
        let list = ListFormat([
            ("Repository", "REPOSITORY"), ("Tag", "TAG"), ("ID", "IMAGE ID"), ("CreatedSince", "CREATED"),
            ("Size", "SIZE"), ("SharedSize", "SHARED SIZE"), ("UniqueSize", "UNIQUE SIZE"),
            ("Containers", "CONTAINERS"),
        ])
        var records: [TemplateRecord] = []
        for image in usage["Images"]?.array ?? [] {
            let size = max(0, image["Size"]?.int ?? 0)
            let shared = max(0, image["SharedSize"]?.int ?? 0)
            for row in ImageRow.rows(image, truncates: true, showsDigests: false) {
                var record = row.record
                replace(&record, "Containers", "\(image["Containers"]?.int ?? 0)")
                replace(&record, "SharedSize", SizeText.long(Double(shared)))
                replace(&record, "UniqueSize", SizeText.long(Double(size - shared)))
                records.append(record)
            }
        }
        return try list.render("table", records)
    }

    private func replace(_ record: inout TemplateRecord, _ field: String, _ value: String) {
        guard let index = record.fields.firstIndex(where: { $0.name == field }) else { return }
        record.fields[index].value = .string(value)
    }

    private func containers() throws -> String {
        let list = ListFormat([
            ("ID", "CONTAINER ID"), ("Image", "IMAGE"), ("Command", "COMMAND"), ("LocalVolumes", "LOCAL VOLUMES"),
            ("Size", "SIZE"), ("RunningFor", "CREATED"), ("Status", "STATUS"), ("Names", "NAMES"),
        ])
        return try list.render(
            "table",
            (usage["Containers"]?.array ?? []).map { container in
                var record = ContainerRow(container, truncates: true).record
                replace(&record, "Size", SizeText.short(Double(container["SizeRw"]?.int ?? 0)))
                return record
            })
    }

    private func volumes() throws -> String {
        let list = ListFormat([("Name", "VOLUME NAME"), ("Links", "LINKS"), ("Size", "SIZE")])
        return try list.render("table", (usage["Volumes"]?.array ?? []).map(VolumeList.record))
    }
}
