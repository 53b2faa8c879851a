// SPDX-License-Identifier: Apache-2.0
import GoTemplate
import JSON

/// The table of `system df`: how much each kind of object takes and how much of it could go.
struct DiskUsage {
    static let list = ListFormat([
        ("Type", "TYPE"), ("TotalCount", "TOTAL"), ("Active", "ACTIVE"), ("Size", "SIZE"),
        ("Reclaimable", "RECLAIMABLE"),
    ])

    struct Row {
        var type: String
        var total: Int
        var active: Int
        var size: Int64
        var reclaimable: Int64
        var showsShare = true

        var record: TemplateRecord {
            let share = size > 0 && showsShare ? " (\(reclaimable * 100 / size)%)" : ""
            return TemplateRecord(
                typeName: "*formatter.diskUsageImagesContext",
                fields: [
                    ("Active", .string("\(active)")),
                    ("Reclaimable", .string(SizeText.long(Double(reclaimable)) + share)),
                    ("Size", .string(SizeText.long(Double(size)))), ("TotalCount", .string("\(total)")),
                    ("Type", .string(type)),
                ])
        }
    }

    private let usage: JSONValue

    init(_ usage: JSONValue) {
        self.usage = usage
    }

    var rows: [Row] { [images, containers, volumes, buildCache] }

    private var images: Row {
        let images = usage["Images"]?.array ?? []
        let total = usage["LayersSize"]?.int ?? 0
        var used: Int64 = 0
        for image in images where image["Containers"]?.int ?? 0 > 0 {
            let shared = max(0, image["SharedSize"]?.int ?? 0)
            used += max(0, image["Size"]?.int ?? 0) - shared
        }
        let active = images.count { $0["Containers"]?.int ?? 0 > 0 }
        return Row(type: "Images", total: images.count, active: active, size: total, reclaimable: max(0, total - used))
    }

    private var containers: Row {
        let containers = usage["Containers"]?.array ?? []
        func isActive(_ container: JSONValue) -> Bool {
            ["running", "paused", "restarting"].contains(container["State"]?.string ?? "")
        }
        let size = containers.reduce(0) { $0 + ($1["SizeRw"]?.int ?? 0) }
        let idle = containers.filter { !isActive($0) }.reduce(0) { $0 + ($1["SizeRw"]?.int ?? 0) }
        return Row(
            type: "Containers", total: containers.count, active: containers.count(where: isActive), size: size,
            reclaimable: idle)
    }

    private var volumes: Row {
        let volumes = usage["Volumes"]?.array ?? []
        func size(_ volume: JSONValue) -> Int64 { max(0, volume["UsageData"]?["Size"]?.int ?? 0) }
        func isActive(_ volume: JSONValue) -> Bool { volume["UsageData"]?["RefCount"]?.int ?? 0 > 0 }
        return Row(
            type: "Local Volumes", total: volumes.count, active: volumes.count(where: isActive),
            size: volumes.reduce(0) { $0 + size($1) },
            reclaimable: volumes.filter { !isActive($0) }.reduce(0) { $0 + size($1) })
    }

    private var buildCache: Row {
        let entries = usage["BuildCache"]?.array ?? []
        func size(_ entry: JSONValue) -> Int64 { entry["Size"]?.int ?? 0 }
        let own = entries.filter { !($0["Shared"]?.bool ?? false) }
        return Row(
            type: "Build Cache", total: entries.count, active: entries.count { $0["InUse"]?.bool ?? false },
            size: entries.reduce(0) { $0 + size($1) },
            reclaimable: own.filter { !($0["InUse"]?.bool ?? false) }.reduce(0) { $0 + size($1) }, showsShare: false)
    }
}
