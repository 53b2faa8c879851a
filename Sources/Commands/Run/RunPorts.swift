// SPDX-License-Identifier: Apache-2.0

/// `--publish` and `--expose`: `[[ip:][hostPort]:]containerPort[/protocol]`, with ranges.
package struct RunPorts {
    package struct Binding: Equatable {
        /// `80/tcp`
        package var port: String
        package var hostIP: String
        package var hostPort: String
    }

    package private(set) var exposed: [String] = []
    private var known: Set<String> = []
    package private(set) var bindings: [Binding] = []

    package init(publish: [String], expose: [String]) throws {
        for spec in publish { try add(spec.contains("=") ? RunPorts.fromPairs(spec) : spec) }
        for spec in expose {
            if spec.contains(":") { throw RunRefusal("invalid port format for --expose: " + spec) }
            let (numbers, proto) = RunPorts.cutProtocol(spec)
            guard let range = RunPorts.range(numbers) else {
                let (low, high) = numbers.cut("-") ?? (numbers, numbers)
                let reason =
                    low.isDigits && high.isDigits
                    ? "invalid range specified for port: " + numbers
                    : "strconv.ParseUint: parsing " + (low.isDigits ? high : low).quoted + ": invalid syntax"
                throw RunRefusal("invalid range format for --expose: " + spec + ", error: " + reason)
            }
            for port in range { addExposed(port, proto) }
        }
    }

    private mutating func addExposed(_ port: Int, _ proto: String) {
        let name = "\(port)/" + proto
        if known.insert(name).inserted { exposed.append(name) }
    }

    private mutating func add(_ spec: String) throws {
        let (address, proto) = RunPorts.cutProtocol(spec)
        guard ["tcp", "udp", "sctp"].contains(proto) else { throw RunRefusal("invalid proto: " + proto) }
        let (front, container) = address.cutLast(":") ?? ("", address)
        var hostIP = ""
        var host = front
        if let (ip, port) = front.cutLast(":") { (hostIP, host) = (ip, port) }
        if hostIP.hasPrefix("["), hostIP.hasSuffix("]") { hostIP = String(hostIP.dropFirst().dropLast()) }
        if container.isEmpty { throw RunRefusal("no port specified: " + spec + "<empty>") }
        guard let containerRange = RunPorts.range(container) else {
            throw RunRefusal("invalid containerPort: " + container)
        }
        if !hostIP.isEmpty, !IPPrefix.isAddress(hostIP) { throw RunRefusal("invalid IP address: " + hostIP) }
        guard !host.isEmpty else {
            for port in containerRange { bind(port, proto, hostIP, "") }
            return
        }
        guard let hostRange = RunPorts.range(host) else { throw RunRefusal("invalid hostPort: " + host) }
        if hostRange.count != containerRange.count {
            // One container port may be published on any free port of a range.
            guard containerRange.count == 1 else {
                throw RunRefusal(
                    "invalid ranges specified for container and host Ports: " + container + " and " + host)
            }
            return bind(containerRange.lowerBound, proto, hostIP, "\(hostRange.lowerBound)-\(hostRange.upperBound)")
        }
        for (port, hostPort) in zip(containerRange, hostRange) { bind(port, proto, hostIP, "\(hostPort)") }
    }

    private mutating func bind(_ port: Int, _ proto: String, _ hostIP: String, _ hostPort: String) {
        addExposed(port, proto)
        bindings.append(Binding(port: "\(port)/" + proto, hostIP: hostIP, hostPort: hostPort))
    }

    private static func cutProtocol(_ spec: String) -> (String, String) {
        guard let (numbers, proto) = spec.cut("/") else { return (spec, "tcp") }
        return (numbers, proto.isEmpty ? "tcp" : proto.lowercased())
    }

    /// `80` or `80-90`
    private static func range(_ text: String) -> ClosedRange<Int>? {
        let (low, high) = text.cut("-") ?? (text, text)
        guard low.isDigits, high.isDigits, let first = Int(low), let last = Int(high), first <= last, last <= 65535
        else { return nil }
        return first...last
    }

    /// The long form: `target=80,published=8080,protocol=tcp`.
    private static func fromPairs(_ spec: String) throws -> String {
        var target = ""
        var published = ""
        var proto = "tcp"
        for field in spec.parts(",") {
            guard let (key, value) = field.cut("=") else { throw RunRefusal("invalid field " + field) }
            switch key.lowercased() {
            case "target": target = value
            case "published": published = value
            case "protocol": proto = value
            case "mode": continue
            default: throw RunRefusal("invalid field key " + key)
            }
        }
        if target.isEmpty { throw RunRefusal("invalid port format: no target") }
        return (published.isEmpty ? "" : published + ":") + target + "/" + proto
    }
}
