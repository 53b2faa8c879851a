// SPDX-License-Identifier: Apache-2.0
package import JSON
package import LinuxSystem

/// What a container's group says, if it has one.
struct ResctrlFigures {
    private let group: ResctrlGroup?
    private let root: FilePath?

    init(_ container: Container) throws(RuntimeError) {
        group = try container.store.resctrlGroup(of: container.record.id)
        root = group == nil ? nil : Resctrl.mounted()
    }

    func read() -> JSONValue {
        guard let group, let root else { return [:] }
        return group.statistics(root)
    }
}

extension ResctrlGroup {
    /// The `intel_rdt` of a `stats` event in runc's form.
    ///
    /// - Parameter root: the mounted file system.
    package func statistics(_ root: FilePath) -> JSONValue {
        var value: JSONValue = [:]
        let all = (try? readText(root / "schemata")) ?? ""
        let own = (try? readText(directory / "schemata")) ?? ""
        func put(_ name: String, _ text: String, line resource: String) {
            let found = text.split(separator: "\n").first { $0.drop { $0 == " " }.hasPrefix(resource) }
            if let found { value.set(name, .string(String(found.drop { $0 == " " }))) }
        }
        if Resctrl.allotsCaches(root) {
            value.set("l3_cache_info", facts(root / "info" / "L3", ["cbm_mask", "min_cbm_bits", "num_closids"]))
            put("l3_cache_schema_root", all, line: "L3")
            put("l3_cache_schema", own, line: "L3")
        }
        if Resctrl.allotsBandwidth(root) {
            let names = ["bandwidth_gran", "delay_linear", "min_bandwidth", "num_closids"]
            value.set("mem_bw_info", facts(root / "info" / "MB", names))
            put("mem_bw_schema_root", all, line: "MB")
            put("mem_bw_schema", own, line: "MB")
        }
        let features = (try? readText(root / "info" / "L3_MON" / "mon_features"))?.split(separator: "\n") ?? []
        let bandwidth = ["mbm_total_bytes", "mbm_local_bytes"]
        if features.contains(where: { name in bandwidth.contains { name == $0 } }) {
            value.set("mbm_stats", measured(bandwidth))
        }
        if features.contains("llc_occupancy") { value.set("cmt_stats", measured(["llc_occupancy"])) }
        return value
    }

    /// Numbers, but for a mask, which is a text; what the kernel does not tell is left out.
    private func facts(_ directory: FilePath, _ names: [String]) -> JSONValue {
        var value: JSONValue = [:]
        for name in names {
            guard let text = try? readText(directory / name), !text.isEmpty else { continue }
            if name == "cbm_mask" {
                value.set(name, .string(text))
            } else if let number = UInt64(text) {
                value.set(name, .unsigned(number))
            }
        }
        return value
    }

    /// The counters of each cache, in the order of their names.
    private func measured(_ names: [String]) -> JSONValue {
        let place = (monitoring ?? directory) / "mon_data"
        let caches = ((try? listDirectory(place)) ?? []).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return .array(
            caches.map { cache in
                var value: JSONValue = [:]
                for name in names {
                    value.set(name, .unsigned((try? readText(place / cache / name)).flatMap { UInt64($0) } ?? 0))
                }
                return value
            })
    }
}
