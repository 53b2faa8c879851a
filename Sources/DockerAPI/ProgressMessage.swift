// SPDX-License-Identifier: Apache-2.0
package import JSON

/// One line of the JSON streams of pull, push, load, import and build.
package enum ProgressMessage: Sendable, Equatable {
    /// `{"status":"Pulling from library/x","id":"latest"}`; without an id, a line of its own.
    case status(String, id: String?)
    /// A step of a layer that has no figures.
    case step(String, id: String)
    /// A step of a layer with a progress bar; without an id (an empty one) a line of its own. A total that is not known
    /// is no more than 0.
    case progress(String, id: String, current: Int64, total: Int64)
    /// Text as it is, for load and build.
    case stream(String)
    /// Something for programs: what was pushed.
    case aux(JSONValue)
    /// The end of the stream, with what went wrong.
    case error(String)

    package var json: JSONValue {
        switch self {
        case .status(let text, nil): ["status": .string(text)]
        case .status(let text, let id?): ["status": .string(text), "id": .string(id)]
        case .step(let text, let id): ["status": .string(text), "progressDetail": [:], "id": .string(id)]
        case .progress(let text, let id, let current, let total):
            Self.json(text, id, current, total)
        case .stream(let text): ["stream": .string(text)]
        case .aux(let value): ["progressDetail": [:], "aux": value]
        case .error(let text): ["errorDetail": ["message": .string(text)], "error": .string(text)]
        }
    }

    private static func json(_ text: String, _ id: String, _ current: Int64, _ total: Int64) -> JSONValue {
        var detail: JSONValue = .object([])
        if current != 0 { detail.set("current", .int(current)) }
        if total > 0 { detail.set("total", .int(total)) }
        var json: JSONValue = [
            "status": .string(text), "progressDetail": detail,
            "progress": .string(bar(current: current, total: total)),
        ]
        if !id.isEmpty { json.set("id", .string(id)) }
        return json
    }

    /// `[=====>     ]  1.2MB/3MB`, for clients that print it as it is.
    static func bar(current: Int64, total: Int64) -> String {
        let size = humanSize(current)
        guard total > 0 else { return padded(size) }
        let done = Int(min(current, total) * 50 / total)
        let head = done < 50 ? ">" + String(repeating: " ", count: 50 - done) : ">"
        return "[" + String(repeating: "=", count: done) + head + "] " + padded(size) + "/" + humanSize(total)
    }

    private static func padded(_ text: String) -> String {
        String(repeating: " ", count: max(0, 8 - text.utf8.count)) + text
    }
}

/// Decimal units with four significant digits, as docker prints sizes: `1.985MB`, `328B`.
package func humanSize(_ bytes: Int64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 1000, unit < units.count - 1 {
        value /= 1000
        unit += 1
    }
    let decimals = value >= 1000 ? 0 : value >= 100 ? 1 : value >= 10 ? 2 : 3
    let scale = [1.0, 10, 100, 1000][decimals]
    let scaled = Int64((value * scale).rounded())
    var text = "\(scaled / Int64(scale))"
    var fraction = String(scaled % Int64(scale))
    fraction = String(repeating: "0", count: decimals - min(decimals, fraction.utf8.count)) + fraction
    while fraction.hasSuffix("0") { fraction.removeLast() }
    if decimals > 0, !fraction.isEmpty { text += "." + fraction }
    return text + units[unit]
}
