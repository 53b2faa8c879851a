// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
import ContainerdAPI
import LinuxSystem
package import Metadata
import SwiftProtobuf
import Synchronization

/// The tenants: names that separate containers, images, snapshots and content from one another. A namespace comes into
/// being with the first record in it, or by `Create`, which may give it labels.
package final class NamespaceService: Sendable {
    private let database: Database
    private let events: EventService
    /// Names that are known to have a row, so that `ensure` costs nothing on the usual path.
    private let known = Mutex<Set<String>>([])

    package init(database: Database, events: EventService) {
        self.database = database
        self.events = events
    }

    /// Makes the namespace's row if there is none yet.
    package func ensure(_ name: String) throws {
        if known.withLock({ $0.contains(name) }) { return }
        try database.execute(
            "INSERT OR IGNORE INTO namespaces (name, labels) VALUES (?, ?)", [.text(name), .labels([:])])
        known.withLock { _ = $0.insert(name) }
    }

    /// Labels of a namespace; none if it does not exist.
    package func labels(_ name: String) throws -> Labels {
        let row = try database.query("SELECT labels FROM namespaces WHERE name = ?", [.text(name)]).first
        return try row?.labels("labels") ?? [:]
    }
}

private typealias Record = Containerd_Services_Namespaces_V1_Namespace

extension NamespaceService {
    package func register(on table: inout RPCHandlerTable) {
        let service = "containerd.services.namespaces.v1.Namespaces"
        table.unary(service, "Get", get)
        table.unary(service, "List", list)
        table.unary(service, "Create", create)
        table.unary(service, "Update", update)
        table.unary(service, "Delete", delete)
    }

    /// Clients ask for the labels of namespaces that have no record yet: the answer has none.
    private func get(
        _ request: Containerd_Services_Namespaces_V1_GetNamespaceRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Namespaces_V1_GetNamespaceResponse {
        let labels = try labels(request.name)
        return .with { $0.namespace = record(request.name, labels) }
    }

    private func list(
        _ request: Containerd_Services_Namespaces_V1_ListNamespacesRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Namespaces_V1_ListNamespacesResponse {
        let filters = try FilterSet([request.filter])
        let all = try database.query("SELECT name, labels FROM namespaces ORDER BY name").map {
            record(try $0.text("name"), try $0.labels("labels"))
        }
        let found = all.filter { namespace in
            filters.matches { $0 == ["name"] ? namespace.name : labelField($0, namespace.labels) }
        }
        return .with { $0.namespaces = found }
    }

    private func create(
        _ request: Containerd_Services_Namespaces_V1_CreateNamespaceRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Namespaces_V1_CreateNamespaceResponse {
        let namespace = request.namespace
        try Identifier.validate(namespace.name, what: "namespace")
        do {
            try database.execute(
                "INSERT INTO namespaces (name, labels) VALUES (?, ?)",
                [.text(namespace.name), .labels(namespace.labels)])
        } catch let error as DatabaseError where error.isConstraintViolation {
            throw ServiceError(.alreadyExists, "namespace \"\(namespace.name)\": already exists")
        }
        events.publish(
            (try? context.namespace()) ?? namespace.name, topic: "/namespaces/create",
            Containerd_Events_NamespaceCreate.with {
                $0.name = namespace.name
                $0.labels = namespace.labels
            })
        return .with { $0.namespace = namespace }
    }

    /// A namespace that has no record yet gets one, as containerd has it.
    private func update(
        _ request: Containerd_Services_Namespaces_V1_UpdateNamespaceRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Namespaces_V1_UpdateNamespaceResponse {
        let name = request.namespace.name
        try Identifier.validate(name, what: "namespace")
        let labels = try database.write { transaction -> Labels in
            let row = try transaction.first("SELECT labels FROM namespaces WHERE name = ?", [.text(name)])
            var labels = try row?.labels("labels") ?? [:]
            try LabelUpdate(request.updateMask.named).apply(request.namespace.labels, to: &labels)
            try transaction.execute(
                "INSERT OR REPLACE INTO namespaces (name, labels) VALUES (?, ?)", [.text(name), .labels(labels)])
            return labels
        }
        events.publish(
            name, topic: "/namespaces/update",
            Containerd_Events_NamespaceUpdate.with {
                $0.name = name
                $0.labels = labels
            })
        return .with { $0.namespace = record(name, labels) }
    }

    private func delete(
        _ request: Containerd_Services_Namespaces_V1_DeleteNamespaceRequest, _ context: RPCContext
    ) throws -> Google_Protobuf_Empty {
        let name = request.name
        try database.write { transaction in
            let left = try remains(of: name, transaction)
            guard left.isEmpty else {
                let list = left.joined(separator: ", ")
                throw ServiceError(
                    .failedPrecondition,
                    "namespace \"\(name)\" must be empty, but it still has \(list): failed precondition")
            }
            let removed = try transaction.execute("DELETE FROM namespaces WHERE name = ?", [.text(name)])
            if removed == 0 { throw notFound(name) }
            try transaction.execute("DELETE FROM leases WHERE namespace = ?", [.text(name)])
        }
        known.withLock { _ = $0.remove(name) }
        events.publish(name, topic: "/namespaces/delete", Containerd_Events_NamespaceDelete.with { $0.name = name })
        return Google_Protobuf_Empty()
    }

    /// What keeps a namespace from being deleted, in containerd's words.
    private func remains(of namespace: String, _ transaction: borrowing Transaction) throws -> [String] {
        let tables = [
            ("images", "images"), ("content", "blobs"), ("containers", "containers"),
            ("snapshots", "snapshots on \"overlayfs\" snapshotter"),
        ]
        var left: [String] = []
        for (table, words) in tables {
            guard try transaction.first("SELECT 1 FROM sqlite_master WHERE name = ?", [.text(table)]) != nil,
                try transaction.first("SELECT 1 FROM \(table) WHERE namespace = ?", [.text(namespace)]) != nil
            else { continue }
            left.append(words)
        }
        return left
    }

    private func record(_ name: String, _ labels: Labels) -> Record {
        .with {
            $0.name = name
            $0.labels = labels
        }
    }

    private func notFound(_ name: String) -> ServiceError {
        ServiceError(.notFound, "namespace \"\(name)\": not found")
    }
}

/// The value of a `labels."key"` path.
func labelField(_ path: [String], _ labels: [String: String]) -> String? {
    guard path.first == "labels" else { return nil }
    return labels[path.dropFirst().joined(separator: ".")]
}

extension Google_Protobuf_FieldMask {
    /// The paths that it names; nil, for all that can change, if there are none: containerd's client sends an empty mask
    /// where others send none.
    var named: [String]? { paths.isEmpty ? nil : paths }
}

/// How an update with a field mask changes labels: all of them, or those that the mask names.
struct LabelUpdate {
    private let paths: [String]?

    /// - Parameter paths: the mask's paths; nil if it names none, which replaces all labels.
    init(_ paths: [String]?) { self.paths = paths }

    func apply(_ new: [String: String], to labels: inout [String: String]) throws(ServiceError) {
        guard let paths else {
            labels = new
            return
        }
        for path in paths {
            if path == "labels" {
                labels = new
            } else if path.hasPrefix("labels.") {
                let key = String(path.dropFirst("labels.".count))
                let value = new[key] ?? ""
                labels[key] = value.isEmpty ? nil : value  // an empty value removes the label
            } else {
                throw ServiceError(.invalidArgument, "cannot update field \"\(path)\"")
            }
        }
    }
}
