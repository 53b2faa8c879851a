// SPDX-License-Identifier: Apache-2.0
import CLinux
import Cgroups
import Flags
import JSON
import LinuxSystem
import OCISpec

var eventsCommand: Command {
    Command(
        name: "events", help: "print statistics and out-of-memory events", usage: "CONTAINER-ID",
        flags: [
            .string("interval", default: "5s", "time between two statistics").checking {
                milliseconds($0) == nil ? "no duration" : nil
            },
            .bool("stats", "print the statistics once"),
        ], arity: .exactly(1)
    ) { invocation throws(RuntimeError) in
        let container = try invocation.container()
        let interval = milliseconds(invocation.values.string("interval")) ?? 0
        if interval <= 0 { throw RuntimeError("duration interval must be greater than 0") }
        guard container.status != .stopped, let process = try container.openInit() else {
            throw RuntimeError("container with id " + container.record.id + " is not running")
        }
        let figures = CgroupFigures(container.cgroup)
        let resctrl = try ResctrlFigures(container)
        if invocation.values.bool("stats") {
            print("stats", container, figures.read().runtimeJSON(figures, resctrl: resctrl.read()))
            return 0
        }
        try follow(container, process, figures, resctrl, interval: interval)
        return 0
    }
}

/// Prints until the container's init process has ended.
private func follow(
    _ container: Container, _ process: borrowing OwnedFD, _ figures: CgroupFigures, _ resctrl: ResctrlFigures,
    interval: Int64
) throws(RuntimeError) {
    let duplicate = try step("") { () throws(SysError) in try process.duplicate() }
    try step("watch the container's memory") { () throws(SysError) in
        var watch = try OOMWatch(figures)
        var next = monotonicNanoseconds() + interval * 1_000_000
        while true {
            let left = max(0, next - monotonicNanoseconds()) / 1_000_000 + 1
            let hasEnded = try watch.wait(for: duplicate, milliseconds: CInt(clamping: left))
            for _ in 0..<watch.newKills() { print("oom", container, nil) }
            if hasEnded { return }
            if monotonicNanoseconds() < next { continue }
            print("stats", container, figures.read().runtimeJSON(figures, resctrl: resctrl.read()))
            next += interval * 1_000_000
        }
    }
}

private func print(_ type: String, _ container: Container, _ data: JSONValue?) {
    var event: JSONValue = ["type": .string(type), "id": .string(container.record.id)]
    if let data { event.set("data", data) }
    writeLine(1, event.serialized())
}

/// A duration as Go writes them (`1m30s`, `1.5s`, `200ms`, `-1s`) in milliseconds; nil for anything else.
func milliseconds(_ text: String) -> Int64? {
    if text.hasPrefix("-") { return milliseconds(String(text.dropFirst())).map { -$0 } }
    let units: [(name: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ]
    if text == "0" { return 0 }
    var rest = Array(text.utf8)[...]
    var total = 0.0
    repeat {
        let number = rest.prefix { $0 >= 48 && $0 <= 57 || $0 == UInt8(ascii: ".") }
        let unit = String(decoding: rest[number.endIndex...].prefix { $0 >= 97 && $0 <= 122 }, as: UTF8.self)
        guard let value = decimal(number), let found = units.first(where: { $0.name == unit }) else { return nil }
        total += value * found.nanoseconds
        rest = rest[number.endIndex...].dropFirst(unit.utf8.count)
    } while !rest.isEmpty
    guard total < 9e18 else { return nil }
    return total > 0 ? max(1, Int64(total / 1e6)) : 0
}

/// Digits with at most one point among them. (Embedded Swift has no conversion from text to floating point.)
private func decimal(_ digits: ArraySlice<UInt8>) -> Double? {
    var value = 0.0
    var scale = 0.0
    var count = 0
    for byte in digits {
        if byte == UInt8(ascii: ".") {
            if scale != 0 { return nil }
            scale = 1
            continue
        }
        value = value * 10 + Double(byte - 48)
        scale *= 10
        count += 1
    }
    return count == 0 ? nil : scale == 0 ? value : value / scale
}
