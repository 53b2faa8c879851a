// SPDX-License-Identifier: Apache-2.0
import CLinux
package import JSON
package import LinuxSystem
package import OCISpec

/// A group of resctrl: its tasks share a part of the processors' caches and of the memory bandwidth (config-linux.md,
/// "IntelRdt"; resctrl.rst of the kernel's documentation).
package struct ResctrlGroup: Sendable, Equatable {
    package let directory: FilePath
    /// Made for one container, and removed with it; else it is the administrator's, or of several containers.
    package let isOwn: Bool
    /// Where the container's use is measured apart from that of others in the group; nil if nobody asked for that.
    package let monitoring: FilePath?
    /// Lines of the file `schemata`.
    package let schemata: [String]

    /// - Parameter root: the mounted resctrl file system; nil if there is none.
    package init(_ config: RuntimeLinux.IntelRdt, id: String, root: FilePath?) throws(RuntimeError) {
        let closID = config.closID
        if closID == "." || closID == ".." || closID.utf8.contains(0)
            || closID != "/" && closID.utf8.contains(UInt8(ascii: "/"))
        {
            throw RuntimeError("invalid intelRdt.ClosID \"" + closID + "\"")
        }
        if !config.l3CacheSchema.isEmpty, !Resctrl.allotsCaches(root) {
            throw RuntimeError("intelRdt.l3CacheSchema is specified in config, but Intel RDT/CAT is not enabled")
        }
        if !config.memBwSchema.isEmpty, !Resctrl.allotsBandwidth(root) {
            throw RuntimeError("intelRdt.memBwSchema is specified in config, but Intel RDT/MBA is not enabled")
        }
        guard let root else {
            throw RuntimeError(
                "intelRdt is specified in config, but Intel RDT is not enabled: no resctrl file system is mounted")
        }
        isOwn = closID.isEmpty
        directory = closID == "/" ? root : root / (isOwn ? id : closID)
        monitoring = config.enablesMonitoring ? directory / "mon_groups" / id : nil
        schemata = config.lines
    }

    /// Makes the group, with its shares. One that others have made must have these already.
    package func make() throws(RuntimeError) {
        if isOwn {
            try step("make the resctrl group") { () throws(SysError) in try makeDirectory(directory) }
            try write(schemata)
        } else if exists(directory) {
            try checkSchemata()
        } else if schemata.isEmpty {
            throw RuntimeError(
                "clos dir not accessible (must be pre-created when l3CacheSchema and memBwSchema are empty): "
                    + SysError("stat", directory.string, .noSuchFile).description)
        } else {
            try step("make the resctrl group") { () throws(SysError) in try makeDirectory(directory) }
            try write(schemata)
        }
        if let monitoring {
            try step("make the resctrl monitoring group") { () throws(SysError) in try makeDirectory(monitoring) }
        }
    }

    /// Puts a task, and the children that it makes from now on, into the group.
    package func add(_ pid: Int32) throws(RuntimeError) {
        for place in [directory, monitoring] {
            guard let place else { continue }
            try explaining { () throws(SysError) in try writeText(place / "tasks", String(pid)) }
        }
    }

    /// Sets shares; resources that no line is about stay as they are.
    package func write(_ lines: [String]) throws(RuntimeError) {
        if lines.isEmpty { return }
        try explaining { () throws(SysError) in
            try writeText(directory / "schemata", lines.map { $0 + "\n" }.joined())
        }
    }

    /// Removes what was made for the container alone; its tasks, if there are any, are then in the groups above.
    package func remove() throws(RuntimeError) {
        for place in [monitoring, isOwn ? directory : nil] {
            guard let place else { continue }
            try step("remove the resctrl group") { () throws(SysError) in
                do throws(SysError) { try sys("rmdir", place.string) { rmdir(place.string) } } catch {
                    if error.errno != .noSuchFile { throw error }
                }
            }
        }
    }

    private func checkSchemata() throws(RuntimeError) {
        let present = try explaining { () throws(SysError) in try readText(directory / "schemata") }
        for line in schemata where !Resctrl.contains(present, line) {
            throw RuntimeError(
                "intelRdt: the group \"" + directory.lastComponent + "\" exists, and its schemata differ from \"" + line
                    + "\"")
        }
    }

    /// The kernel says in a file of its own why it refused something.
    private func explaining<R>(_ body: () throws(SysError) -> R) throws(RuntimeError) -> R {
        do throws(SysError) { return try body() } catch {
            var text = "intelrdt: " + error.description
            for root in [directory.parent, directory] {  // the group may be the root itself
                guard let status = try? readText(root / "info" / "last_cmd_status") else { continue }
                text += ", last_cmd_status: " + status
            }
            throw RuntimeError(text)
        }
    }
}

extension ResctrlGroup {
    /// As it is noted beside a container's state.
    package var json: JSONValue {
        [
            "group": .string(directory.string), "isOwn": .bool(isOwn),
            "monitoring": monitoring.map { .string($0.string) } ?? .null,
        ]
    }

    /// From such a note; nil if it is damaged.
    package init?(_ value: JSONValue) {
        guard let path = value["group"]?.string, path.utf8.first == UInt8(ascii: "/"),
            let isOwn = value["isOwn"]?.bool
        else { return nil }
        directory = FilePath(path)
        self.isOwn = isOwn
        monitoring = value["monitoring"]?.string.map { FilePath($0) }
        schemata = []
    }
}

/// The file system with the groups.
package enum Resctrl {
    /// Where it is mounted; nil if it is not. The administrator does that: some of its features are options of the mount.
    package static func mounted() -> FilePath? {
        let usual = FilePath("/sys/fs/resctrl")
        let magic = 0x765_5821  // RDTGROUP_SUPER_MAGIC
        if let directory = try? open(usual, O_PATH | O_DIRECTORY), (try? fileSystemType(directory)) == magic {
            return usual
        }
        guard let table = try? readText(FilePath("/proc/self/mountinfo"), limit: 64 << 20) else { return nil }
        for line in table.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let mark = fields.firstIndex(of: "-"), mark + 1 < fields.count, fields[mark + 1] == "resctrl" else {
                continue
            }
            return FilePath(String(fields[4]))
        }
        return nil
    }

    package static func allotsCaches(_ root: FilePath?) -> Bool {
        ["L3", "L3CODE"].contains { name in root.map { exists($0 / "info" / name) } ?? false }
    }

    package static func allotsBandwidth(_ root: FilePath?) -> Bool {
        root.map { exists($0 / "info" / "MB") } ?? false
    }

    /// Whether the content of a file `schemata` says what a line does: the kernel writes numbers in its own way, and says
    /// more. A line is `RESOURCE:ID=VALUE;..`, with hexadecimal masks of caches and decimal bandwidths.
    package static func contains(_ text: String, _ line: String) -> Bool {
        guard let wanted = parse(Substring(line)) else { return false }
        let present = text.split(separator: "\n").compactMap { parse($0) }.first { $0.resource == wanted.resource }
        guard let present else { return false }
        return wanted.shares.allSatisfy { share in present.shares.contains { $0 == share } }
    }

    private static func parse(_ line: Substring) -> (resource: String, shares: [(id: UInt64, value: UInt64)])? {
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        let resource = String(decoding: parts[0].utf8.filter { $0 != 32 }, as: UTF8.self)
        var shares: [(id: UInt64, value: UInt64)] = []
        for entry in parts[1].split(separator: ";") {
            let pair = entry.split(separator: "=").map { String(decoding: $0.utf8.filter { $0 != 32 }, as: UTF8.self) }
            guard pair.count == 2, let id = UInt64(pair[0]),
                let value = UInt64(pair[1], radix: resource.hasPrefix("MB") ? 10 : 16)
            else { return nil }
            shares.append((id, value))
        }
        return (resource, shares)
    }
}
