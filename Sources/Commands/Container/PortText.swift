// SPDX-License-Identifier: Apache-2.0
package import JSON

/// The PORTS column: neighbouring ports are joined to ranges.
package enum PortText {
    private struct Port {
        var ip: String
        var inside: Int64
        var outside: Int64
        var proto: String
    }

    private struct Range {
        var key: String
        var first: Port
        var last: Int64
    }

    package static func list(_ values: [JSONValue]) -> String {
        let ports = values.map { value in
            Port(
                ip: value["IP"]?.string ?? "", inside: value["PrivatePort"]?.int ?? 0,
                outside: value["PublicPort"]?.int ?? 0, proto: value["Type"]?.string ?? "")
        }.sorted { ($0.inside, $0.ip, $0.outside, $0.proto) < ($1.inside, $1.ip, $1.outside, $1.proto) }
        var done: [String] = []
        var open: [Range] = []
        var mapped: [String] = []
        for port in ports {
            if !port.ip.isEmpty, port.outside != port.inside {
                mapped.append(host(port.ip) + ":\(port.outside)->\(port.inside)/" + port.proto)
                continue
            }
            let key = port.ip.isEmpty ? port.proto : port.ip + "/" + port.proto
            guard let index = open.firstIndex(where: { $0.key == key }) else {
                open.append(Range(key: key, first: port, last: port.inside))
                continue
            }
            if port.inside == open[index].last + 1 {
                open[index].last = port.inside
            } else {
                done.append(text(open[index]))
                open[index] = Range(key: key, first: port, last: port.inside)
            }
        }
        return (done + open.map(text) + mapped).joined(separator: ", ")
    }

    private static func text(_ range: Range) -> String {
        let numbers = range.first.inside == range.last ? "\(range.last)" : "\(range.first.inside)-\(range.last)"
        if range.first.ip.isEmpty { return numbers + "/" + range.first.proto }
        return host(range.first.ip) + ":" + numbers + "->" + numbers + "/" + range.first.proto
    }

    private static func host(_ ip: String) -> String { ip.contains(":") ? "[" + ip + "]" : ip }
}
