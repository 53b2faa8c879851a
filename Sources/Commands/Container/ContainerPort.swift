// SPDX-License-Identifier: Apache-2.0
import DockerClient
import JSON

/// `swrun container port`
enum ContainerPort {
    static let command = Command(
        "container port", aliases: ["port"], usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
        "Show on which host addresses a container's ports are published", arity: .between(1, 2),
        run: run)

    static func run(_ call: Invocation) throws {
        let path = APIPath.container(call.arguments[0]) + "/json"
        let ports = try call.client.json("GET", path)["NetworkSettings"]?["Ports"]?.members ?? []
        if call.arguments.count == 2 { return try show(call, ports, call.arguments[1]) }
        var lines: [(key: [Int], text: String)] = []
        for port in ports {
            let number = Int(port.key.cut("/")?.0 ?? "") ?? 0
            for (index, address) in addresses(port.value).enumerated() {
                lines.append(([number, index], port.key + " -> " + address))
            }
        }
        for line in lines.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) { call.output.line(line.text) }
    }

    private static func show(_ call: Invocation, _ ports: [JSONValue.Member], _ wanted: String) throws {
        let (number, proto) = wanted.cut("/") ?? (wanted, "tcp")
        guard number.isDigits, let port = Int(number), port < 65536 else {
            throw CommandFailure(
                "Error: invalid port (" + number + "): strconv.ParseUint: parsing " + number.quoted + ": invalid syntax"
            )
        }
        let name = number + "/" + proto
        let found = ports.first { $0.key == name }.map { addresses($0.value) } ?? []
        if found.isEmpty {
            throw CommandFailure("Error: No public port '" + wanted + "' published for " + call.arguments[0])
        }
        for address in found { call.output.line(address) }
    }

    /// `0.0.0.0:80`, `[::]:80`
    private static func addresses(_ bindings: JSONValue) -> [String] {
        (bindings.array ?? []).map { binding in
            let host = binding["HostIp"]?.string ?? ""
            return (host.contains(":") ? "[" + host + "]" : host) + ":" + (binding["HostPort"]?.string ?? "")
        }
    }
}
