// SPDX-License-Identifier: Apache-2.0
import Engine
import Flags
import JSON
import LinuxSystem
import Logging

/// The values of the flags, or else of the configuration file, or else the defaults.
struct Settings: Sendable {
    let flags: FlagValues
    let file: ConfigurationFile

    func string(_ flag: String) throws(DaemonError) -> String {
        if flags.isSet(flag) { return flags.string(flag) }
        switch file[DaemonFlags.key(flag)] {
        case nil: return flags.string(flag)
        case .string(let text)?: return text
        case .int(let number)?: return "\(number)"
        default: throw wrongType(flag, "a string")
        }
    }

    func bool(_ flag: String) throws(DaemonError) -> Bool {
        if flags.isSet(flag) { return flags.bool(flag) }
        switch file[DaemonFlags.key(flag)] {
        case nil: return flags.bool(flag)
        case .bool(let value)?: return value
        default: throw wrongType(flag, "true or false")
        }
    }

    func list(_ flag: String) throws(DaemonError) -> [String] {
        let given = flags.list(flag)
        if !given.isEmpty { return given }
        guard let value = file[DaemonFlags.key(flag)] else { return [] }
        guard let strings = value.strings else { throw wrongType(flag, "a list of strings") }
        return strings
    }

    func int(_ flag: String) throws(DaemonError) -> Int? {
        if let value = flags.optionalInt(flag) { return value }
        switch file[DaemonFlags.key(flag)] {
        case nil: return nil
        case .int(let number)?: return Int(number)
        default: throw wrongType(flag, "a number")
        }
    }

    /// `key=value` flags, which the file has as an object of strings.
    func pairs(_ flag: String) throws(DaemonError) -> [(key: String, value: String)] {
        if let value = file[DaemonFlags.key(flag)] {
            guard let pairs = value.stringPairs else { throw wrongType(flag, "an object of strings") }
            return pairs
        }
        var pairs: [(key: String, value: String)] = []
        for text in flags.list(flag) {
            guard let pair = Self.pair(text), !pair.key.isEmpty else {
                throw DaemonError("invalid --\(flag) \(text): expected key=value")
            }
            pairs.append(pair)
        }
        return pairs
    }

    /// What is before and after the first `=`; nil if there is none.
    static func pair(_ text: String) -> (key: String, value: String)? {
        guard let mark = text.firstIndex(of: "=") else { return nil }
        return (String(text[..<mark]), String(text[text.index(after: mark)...]))
    }

    func path(_ flag: String) throws(DaemonError) -> FilePath {
        let text = try string(flag)
        guard text.hasPrefix("/") else { throw DaemonError("--\(flag) must be an absolute path: \(text)") }
        return FilePath(text).normalized
    }

    func logLevel() throws(DaemonError) -> Logger.Level {
        let name = try string("log-level")
        let levels: [String: Logger.Level] = [
            "trace": .trace, "debug": .debug, "info": .info, "warn": .warning, "warning": .warning, "error": .error,
            "fatal": .critical, "panic": .critical,
        ]
        guard let level = levels[name] else { throw DaemonError("invalid logging level: \(name)") }
        let format = try string("log-format")
        guard ["text", "json"].contains(format) else { throw DaemonError("invalid log format: \(format)") }
        return try isDebug() ? min(level, .debug) : level
    }

    /// Where plugins are looked for: `plugin-directories`, a key of ours, or docker's places.
    func pluginDirectories() throws(DaemonError) -> [String] {
        guard let value = file["plugin-directories"] else { return PluginDirectories.standard }
        guard let paths = value.strings else { throw wrongType("plugin-directories", "a list of strings") }
        return paths
    }

    func wrongType(_ flag: String, _ expected: String) -> DaemonError {
        DaemonError("unable to configure the daemon: \(DaemonFlags.key(flag)) must be \(expected)")
    }
}
