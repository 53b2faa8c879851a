// SPDX-License-Identifier: Apache-2.0
package import JSON

/// One event of `GET /events`.
package struct EventMessage: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case builder, config, container, daemon, image, network, node, plugin, secret, service, volume
    }

    package var kind: Kind
    /// `start`, `die`, `exec_create: sh -c x`, …
    package var action: String
    package var actorID: String
    /// Sorted by key, as Go writes a map.
    package var attributes: [Attribute]
    package var nanoseconds: Int64

    package struct Attribute: Sendable, Equatable {
        package var key: String
        package var value: String
    }

    package init(
        kind: Kind, action: String, actorID: String, attributes: [(key: String, value: String)], nanoseconds: Int64
    ) {
        self.kind = kind
        self.action = action
        self.actorID = actorID
        self.attributes = attributes.sorted { $0.key < $1.key }.map { Attribute(key: $0.key, value: $0.value) }
        self.nanoseconds = nanoseconds
    }

    package func attribute(_ key: String) -> String? { attributes.first { $0.key == key }?.value }

    /// docker's JSON; containers and images also have the three members of API 1.21.
    package var json: JSONValue {
        var object = JSONValue.object([])
        if kind == .container || kind == .image {
            object.set("status", .string(action))
            if !actorID.isEmpty { object.set("id", .string(actorID)) }
            if kind == .container, let image = attribute("image") { object.set("from", .string(image)) }
        }
        object.set("Type", .string(kind.rawValue))
        object.set("Action", .string(action))
        let pairs = attributes.map { JSONValue.Member($0.key, .string($0.value)) }
        object.set("Actor", ["ID": .string(actorID), "Attributes": .object(pairs)])
        object.set("scope", "local")
        object.set("time", .int(nanoseconds / 1_000_000_000))
        object.set("timeNano", .int(nanoseconds))
        return object
    }
}

extension EventMessage {
    /// docker's rules: `event` also matches what is before a colon, names and ids match by prefix, labels by content.
    package func passes(_ filters: Filters) -> Bool {
        let base = action.split(separator: ":", maxSplits: 1).first.map { String($0) } ?? action
        guard filters.matches("event", anyOf: [action, base]), filters.matches("type", exactly: kind.rawValue),
            filters.matches("scope", exactly: "local"), passesImage(filters),
            filters.matches(labels: attributes.map { ($0.key, $0.value) })
        else { return false }
        let named = [
            "builder", "config", "container", "daemon", "network", "node", "plugin", "secret", "service", "volume",
        ]
        let name = attribute("name") ?? ""
        return named.allSatisfy { key in
            filters.matches(key, prefixOf: actorID) || !name.isEmpty && filters.matches(key, prefixOf: name)
        }
    }

    private func passesImage(_ filters: Filters) -> Bool {
        let name = attribute(kind == .image ? "name" : "image") ?? ""
        return filters.matches("image", anyOf: [actorID, name, Self.withoutTag(actorID), Self.withoutTag(name)])
    }

    private static func withoutTag(_ name: String) -> String {
        guard let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") else { return name }
        return String(name[..<colon])
    }
}
