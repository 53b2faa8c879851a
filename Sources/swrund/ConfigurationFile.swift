// SPDX-License-Identifier: Apache-2.0
import Engine
import Flags
import JSON
import LinuxSystem

/// daemon.json: dockerd's file, with the same keys as the flags (lists in the plural).
struct ConfigurationFile: Sendable {
    private var values: [(key: String, value: JSONValue)] = []

    /// Keys that no flag stands for.
    private static let more: Set<String> = [
        "features", "proxies", "socket-policies", "plugin-directories",
    ]

    /// Keys that dockerd knows and that change nothing here.
    private static let ignored: Set<String> = [
        "builder", "ipv6",
    ]

    /// - Parameter isRequired: a missing file is an error.
    init(_ path: FilePath, isRequired: Bool) throws(DaemonError) {
        let prefix = "unable to configure the Docker daemon with file \(path.string): "
        let bytes: [UInt8]
        do throws(SysError) {
            bytes = try readFile(path, limit: 1 << 20)
        } catch {
            if error.errno == .noSuchFile, !isRequired { return }
            throw DaemonError(prefix + error.description)
        }
        if bytes.allSatisfy({ $0 == 32 || (9...13).contains($0) }) { return }
        let document: JSONValue
        do throws(JSONError) { document = try JSONValue(parsing: bytes) } catch {
            throw DaemonError(prefix + error.description)
        }
        guard let members = document.members else { throw DaemonError(prefix + "expected a JSON object") }
        values = members.map { ($0.key, $0.value) }
        let unknown = values.map(\.key).filter { key in
            !DaemonFlags.keys.contains(key) && !Self.ignored.contains(key) && !Self.more.contains(key)
        }
        values.removeAll { $0.value.isNull }  // as if it were not there
        guard unknown.isEmpty else {
            throw DaemonError(
                prefix + "the following directives don't match any configuration option: "
                    + unknown.joined(separator: ", "))
        }
    }

    /// Refuses what is in the file and on the command line: nobody could say which one counts.
    func checkConflicts(_ flags: FlagValues) throws(DaemonError) {
        let both = DaemonFlags.set.flags.map(\.long).filter { flag in
            flags.isSet(flag) && value(of: flag) != nil
        }
        guard both.isEmpty else {
            throw DaemonError(
                "unable to configure the daemon: the following directives are specified both as a flag and in the "
                    + "configuration file: " + both.map { conflict($0, flags) }.joined(separator: ", "))
        }
    }

    /// What the file says for a flag; about proxies it does so in an object of their own.
    private func value(of flag: String) -> JSONValue? {
        self[DaemonFlags.key(flag)] ?? (flag.hasSuffix("-proxy") ? self["proxies"]?[flag] : nil)
    }

    private func conflict(_ flag: String, _ flags: FlagValues) -> String {
        let key = DaemonFlags.key(flag)
        let isList = DaemonFlags.set.flags.contains { $0.long == flag && $0.kind == .list }
        let given = isList ? "[" + flags.list(flag).joined(separator: " ") + "]" : flags.string(flag)
        var values = (flag: given, file: Self.text(value(of: flag) ?? .null))
        if flag.hasSuffix("-proxy") { values = (withoutUser(values.flag), withoutUser(values.file)) }
        return "\(key): (from flag: \(values.flag), from file: \(values.file))"
    }

    /// As Go prints it.
    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): text
        case .array(let items): "[" + items.map { text($0) }.joined(separator: " ") + "]"
        case .object(let members):
            "map["
                + members.sorted { $0.key < $1.key }.map { $0.key + ":" + text($0.value) }.joined(separator: " ") + "]"
        default: value.serialized()
        }
    }

    subscript(_ key: String) -> JSONValue? { values.last { $0.key == key }?.value }
}
