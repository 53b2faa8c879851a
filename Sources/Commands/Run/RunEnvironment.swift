// SPDX-License-Identifier: Apache-2.0
import Flags
import LinuxSystem

/// Environment variables and labels, from flags and from files.
enum RunEnvironment {
    /// Files first, then flags, so that a flag wins.
    static func variables(_ flags: FlagValues) throws -> [String] {
        var variables: [String] = []
        for path in flags.list("env-file") { variables += try lines(path) { Environment.value($0) } }
        for entry in flags.list("env") {
            if entry.contains("=") {
                variables.append(entry)
            } else {
                variables.append(Environment.value(entry).map { entry + "=" + $0 } ?? entry)
            }
        }
        return lastOfEach(variables)
    }

    /// Of several values for one name the last counts, at the place of the first.
    private static func lastOfEach(_ variables: [String]) -> [String] {
        var kept: [String] = []
        for variable in variables {
            let name = variable.cut("=")?.0 ?? variable
            if let index = kept.firstIndex(where: { ($0.cut("=")?.0 ?? $0) == name }) {
                kept[index] = variable
            } else {
                kept.append(variable)
            }
        }
        return kept
    }

    static func labels(_ flags: FlagValues) throws -> [(key: String, value: String)] {
        var entries: [String] = []
        for path in flags.list("label-file") { entries += try lines(path) { _ in nil } }
        entries += flags.list("label")
        return entries.map { entry in
            let (key, value) = entry.cut("=") ?? (entry, "")
            return (key, value)
        }
    }

    /// `KEY=value` lines; comments begin with `#`; a bare key takes what `lookUp` gives, or is left out.
    private static func lines(_ path: String, _ lookUp: (String) -> String?) throws -> [String] {
        let text: String
        do throws(SysError) { text = String(decoding: try readFile(FilePath(path)), as: UTF8.self) } catch {
            if error.errno == .isDirectory {
                throw RunRefusal("invalid env file (" + path + "): read " + path + ": is a directory")
            }
            throw RunRefusal("open " + path + ": " + error.errno.text)
        }
        var entries: [String] = []
        for raw in text.parts("\n") {
            var line = raw
            if line.hasSuffix("\r") { line.removeLast() }
            while let first = line.utf8.first, first == 32 || first == 9 { line.removeFirst() }
            if line.isEmpty || line.hasPrefix("#") { continue }
            let (key, value) = line.cut("=") ?? (line, "")
            if key.isEmpty { throw RunRefusal("no variable name on line '" + line + "'") }
            if key.utf8.contains(where: { $0 == 32 || $0 == 9 }) {
                throw RunRefusal("variable '" + key + "' contains whitespaces")
            }
            if line.contains("=") {
                entries.append(key + "=" + value)
            } else if let found = lookUp(key) {
                entries.append(key + "=" + found)
            }
        }
        return entries
    }

    /// `-e` takes anything but the empty text and a missing name.
    @Sendable static func check(_ value: String) -> String? {
        value.isEmpty || value.hasPrefix("=") ? "invalid environment variable: " + value : nil
    }
}
