// SPDX-License-Identifier: Apache-2.0
import JSON

/// The instruction `HEALTHCHECK NONE` or `HEALTHCHECK [--interval=5s …] CMD …`.
enum HealthcheckText {
    private static let durations = [
        "interval": "Interval", "timeout": "Timeout", "start-period": "StartPeriod", "start-interval": "StartInterval",
    ]

    /// The `Healthcheck` object of a configuration; durations are nanoseconds.
    static func parse(_ text: String) throws(EngineError) -> JSONValue {
        var rest = text
        var options: [(String, JSONValue)] = []
        while rest.hasPrefix("--") {
            let word = rest.prefix { $0 != " " }
            options.append(try option(String(word.dropFirst(2))))
            rest = ImageChanges.trimmed(String(rest[word.endIndex...]))
        }
        let kind = rest.prefix { $0 != " " }
        let command = ImageChanges.trimmed(String(rest[kind.endIndex...]))
        switch kind.uppercased() {
        case "NONE" where command.isEmpty && options.isEmpty: return ["Test": ["NONE"]]
        case "CMD" where !command.isEmpty:
            let list = (try? JSONValue(parsing: Array(command.utf8)))?.strings
            var result: JSONValue = ["Test": .strings(list.map { ["CMD"] + $0 } ?? ["CMD-SHELL", command])]
            for (key, value) in options { result.set(key, value) }
            return result
        case "CMD": throw .invalidArgument("Missing command after HEALTHCHECK CMD")
        default: throw .invalidArgument("Unknown type \"\(kind)\" in HEALTHCHECK (try CMD)")
        }
    }

    private static func option(_ text: String) throws(EngineError) -> (String, JSONValue) {
        let parts = text.split(separator: "=", maxSplits: 1).map { String($0) }
        guard parts.count == 2 else { throw .invalidArgument("HEALTHCHECK: flag --\(text) needs a value") }
        if parts[0] == "retries" {
            guard let count = Int64(parts[1]), count >= 0 else {
                throw .invalidArgument("--retries must be at least 1 (not \(parts[1]))")
            }
            return ("Retries", .int(count))
        }
        guard let key = durations[parts[0]] else { throw .invalidArgument("unknown flag: --\(parts[0])") }
        guard let nanoseconds = duration(parts[1]) else {
            throw .invalidArgument("time: invalid duration \"\(parts[1])\"")
        }
        return (key, .int(nanoseconds))
    }

    /// Go's durations: `1m30s`, `1.5s`, `500ms`.
    static func duration(_ text: String) -> Int64? {
        let units: [String: Double] = ["ns": 1, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9]
        if text == "0" { return 0 }
        var rest = text[...]
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest[digits.endIndex...]
            let unit = rest.prefix { $0.isLetter }
            rest = rest[unit.endIndex...]
            guard let value = Double(digits), let factor = units[String(unit)] else { return nil }
            total += value * factor
        }
        return text.isEmpty ? nil : Int64(exactly: total.rounded())
    }
}
