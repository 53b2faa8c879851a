// SPDX-License-Identifier: Apache-2.0
import GoTemplate
import JSON

/// One line of `stats`.
struct StatsRow {
    static let list = ListFormat(
        [
            ("ID", "CONTAINER ID"), ("Name", "NAME"), ("CPUPerc", "CPU %"), ("MemUsage", "MEM USAGE / LIMIT"),
            ("MemPerc", "MEM %"), ("NetIO", "NET I/O"), ("BlockIO", "BLOCK I/O"), ("PIDs", "PIDS"),
        ], others: [("Container", "CONTAINER")])

    let record: TemplateRecord

    /// - Parameter stats: nil when the container gave no answer; such values show as `--`.
    init(name: String, _ stats: JSONValue?, truncates: Bool) {
        let id = stats?["id"]?.string ?? ""
        let own = String((stats?["name"]?.string ?? "").drop { $0 == "/" })
        let used = StatsRow.memory(stats)
        let limit = Double(stats?["memory_stats"]?["limit"]?.uint ?? 0)
        let share = limit > 0 ? used / limit * 100 : 0
        func known(_ text: String) -> JSONValue { .string(stats == nil ? "--" : text) }
        let (received, sent) = StatsRow.network(stats)
        let (read, written) = StatsRow.blocks(stats)
        record = TemplateRecord(
            typeName: "*container.statsContext",
            fields: [
                ("BlockIO", known(SizeText.short(read) + " / " + SizeText.short(written))),
                ("CPUPerc", known(fixedPoint(StatsRow.processor(stats), digits: 2) + "%")),
                ("Container", .string(name)), ("ID", .string(truncates ? Ellipsis.id(id) : id)),
                ("MemPerc", known(fixedPoint(share, digits: 2) + "%")),
                (
                    "MemUsage",
                    .string(stats == nil ? "-- / --" : SizeText.binary(used) + " / " + SizeText.binary(limit))
                ),
                ("Name", .string(own.isEmpty ? name : own)),
                ("NetIO", known(SizeText.short(received) + " / " + SizeText.short(sent))),
                ("PIDs", known("\(stats?["pids_stats"]?["current"]?.uint ?? 0)")),
            ])
    }

    /// The share of one processor's time between two samples; 200% is two whole processors.
    private static func processor(_ stats: JSONValue?) -> Double {
        func usage(_ key: String) -> Double { Double(stats?[key]?["cpu_usage"]?["total_usage"]?.uint ?? 0) }
        func system(_ key: String) -> Double { Double(stats?[key]?["system_cpu_usage"]?.uint ?? 0) }
        let spent = usage("cpu_stats") - usage("precpu_stats")
        let passed = system("cpu_stats") - system("precpu_stats")
        var processors = Double(stats?["cpu_stats"]?["online_cpus"]?.uint ?? 0)
        if processors == 0 {
            processors = Double(stats?["cpu_stats"]?["cpu_usage"]?["percpu_usage"]?.array?.count ?? 1)
        }
        return spent > 0 && passed > 0 ? spent / passed * processors * 100 : 0
    }

    /// Without the page cache that the kernel would give back at once.
    private static func memory(_ stats: JSONValue?) -> Double {
        let memory = stats?["memory_stats"]
        let usage = Double(memory?["usage"]?.uint ?? 0)
        for key in ["total_inactive_file", "inactive_file"] {
            if let cache = memory?["stats"]?[key]?.uint, Double(cache) < usage { return usage - Double(cache) }
        }
        return usage
    }

    private static func network(_ stats: JSONValue?) -> (Double, Double) {
        var (received, sent) = (0.0, 0.0)
        for member in stats?["networks"]?.members ?? [] {
            received += Double(member.value["rx_bytes"]?.uint ?? 0)
            sent += Double(member.value["tx_bytes"]?.uint ?? 0)
        }
        return (received, sent)
    }

    private static func blocks(_ stats: JSONValue?) -> (Double, Double) {
        var (read, written) = (0.0, 0.0)
        for entry in stats?["blkio_stats"]?["io_service_bytes_recursive"]?.array ?? [] {
            let value = Double(entry["value"]?.uint ?? 0)
            switch entry["op"]?.string?.lowercased() {
            case "read": read += value
            case "write": written += value
            default: break
            }
        }
        return (read, written)
    }
}
