// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem
import Netlink

// The stored form of the records. Unknown members are ignored and missing ones have defaults, so that older and newer
// daemons read each other's records.

extension JSONValue {
    static func map(_ values: [String: String]) -> JSONValue {
        .sorted(values.map { (key: $0.key, value: JSONValue.string($0.value)) })
    }

    var map: [String: String] { Dictionary(stringPairs ?? [], uniquingKeysWith: { $1 }) }

    static func optional(_ value: (some CustomStringConvertible)?) -> JSONValue {
        value.map { .string($0.description) } ?? .null
    }
}

extension NetworkRecord {
    var json: JSONValue {
        [
            "id": .string(id), "name": .string(name), "driver": .string(driver), "created": .int(created.nanoseconds),
            "bridge": .string(bridge), "subnet": .optional(subnet), "gateway": .optional(gateway),
            "range": .optional(addressRange), "reserved": .map(reserved.mapValues(\.description)),
            "chosen": .bool(isSubnetChosen), "internal": .bool(isInternal), "attachable": .bool(isAttachable),
            "options": .map(options),
            "labels": .map(labels), "ipv6": ipv6?.json ?? .null, "configOnly": .bool(isConfigOnly),
            "configFrom": .string(configFrom), "ownParent": .bool(hasOwnParent),
            "passesOverIPv6": .bool(passesOverIPv6), "ipam": addressing.json,
        ]
    }

    init?(json: JSONValue) {
        guard let id = json["id"]?.string, let name = json["name"]?.string, let driver = json["driver"]?.string,
            let created = json["created"]?.int
        else { return nil }
        self.init(id: id, name: name, driver: driver, created: Timestamp(nanoseconds: created))
        bridge = json["bridge"]?.string ?? ""
        subnet = json["subnet"]?.string.flatMap { IPv4Prefix($0) }
        gateway = json["gateway"]?.string.flatMap { IPv4Address($0) }
        addressRange = json["range"]?.string.flatMap { IPv4Prefix($0) }
        reserved = (json["reserved"]?.map ?? [:]).compactMapValues { IPv4Address($0) }
        isSubnetChosen = json["chosen"]?.bool ?? true
        isInternal = json["internal"]?.bool ?? false
        isAttachable = json["attachable"]?.bool ?? false
        options = json["options"]?.map ?? [:]
        labels = json["labels"]?.map ?? [:]
        ipv6 = json["ipv6"].flatMap { IPv6Network(json: $0) }
        isConfigOnly = json["configOnly"]?.bool ?? false
        configFrom = json["configFrom"]?.string ?? ""
        hasOwnParent = json["ownParent"]?.bool ?? false
        addressing = Addressing(json: json["ipam"])
        passesOverIPv6 = json["passesOverIPv6"]?.bool ?? false
    }
}

extension EndpointRecord {
    var json: JSONValue {
        [
            "id": .string(id), "container": .string(containerID), "name": .string(containerName),
            "network": .string(networkID), "address": .optional(address), "mac": .optional(macAddress),
            "gateway": .optional(gateway), "link": .string(hostLink), "interface": .string(interface),
            "ports": .array(ports.map(\.json)), "aliases": .strings(aliases), "names": .strings(names),
            "links": .map(links), "nameservers": .strings(nameservers), "address6": .optional(address6),
            "gateway6": .optional(gateway6), "exposed": .strings(exposed), "linked": .strings(linked),
            "priority": .int(Int64(gatewayPriority)), "stage": .string(pluginStage.rawValue),
            "noWayOut": .bool(refusesWayOut),
        ]
    }

    init?(json: JSONValue) {
        guard let id = json["id"]?.string, let container = json["container"]?.string,
            let name = json["name"]?.string, let network = json["network"]?.string
        else { return nil }
        self.init(id: id, containerID: container, containerName: name, networkID: network)
        address = json["address"]?.string.flatMap { IPv4Prefix($0) }
        macAddress = json["mac"]?.string.flatMap { MACAddress($0) }
        gateway = json["gateway"]?.string.flatMap { IPv4Address($0) }
        hostLink = json["link"]?.string ?? ""
        interface = json["interface"]?.string ?? ""
        ports = (json["ports"]?.array ?? []).compactMap { BoundPort(json: $0) }
        aliases = json["aliases"]?.strings ?? []
        names = json["names"]?.strings ?? []
        links = json["links"]?.map ?? [:]
        nameservers = json["nameservers"]?.strings ?? []
        address6 = json["address6"]?.string.flatMap { IPv6Prefix($0) }
        gateway6 = json["gateway6"]?.string.flatMap { IPv6Address($0) }
        exposed = json["exposed"]?.strings ?? []
        linked = json["linked"]?.strings ?? []
        pluginStage = json["stage"]?.string.flatMap(PluginStage.init(rawValue:)) ?? .unknown
        refusesWayOut = json["noWayOut"]?.bool ?? false
        gatewayPriority = Int(json["priority"]?.int ?? 0)
    }
}

extension BoundPort {
    fileprivate var json: JSONValue {
        [
            "port": .int(Int64(containerPort)), "proto": .string(proto.rawValue), "host": .string(hostIP.description),
            "hostPort": .int(Int64(hostPort)),
        ]
    }

    fileprivate init?(json: JSONValue) {
        guard let port = json["port"]?.int.flatMap(UInt16.init(exactly:)),
            let proto = json["proto"]?.string.flatMap(PortProtocol.init(rawValue:)),
            let host = json["host"]?.string.flatMap({ HostAddress($0) }),
            let hostPort = json["hostPort"]?.int.flatMap(UInt16.init(exactly:))
        else { return nil }
        self.init(containerPort: port, proto: proto, hostIP: host, hostPort: hostPort)
    }
}
