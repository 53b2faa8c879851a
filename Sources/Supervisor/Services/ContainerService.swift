// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
package import ContainerdAPI
import LinuxSystem
package import Metadata
import SwiftProtobuf

/// The metadata records of containers. A record does nothing by itself: a task is made from it.
package final class ContainerService: Sendable {
    private let database: Database
    private let namespaces: NamespaceService
    private let events: EventService

    package init(database: Database, namespaces: NamespaceService, events: EventService) {
        self.database = database
        self.namespaces = namespaces
        self.events = events
    }

    /// The record of a container.
    package func container(_ namespace: String, _ id: String) throws -> ContainerMessage {
        try database.read { try Self.find($0, namespace, id) }
    }

    private static func find(
        _ transaction: borrowing Transaction, _ namespace: String, _ id: String
    ) throws -> ContainerMessage {
        let row = try transaction.first(
            "SELECT record FROM containers WHERE namespace = ? AND id = ?", [.text(namespace), .text(id)])
        guard let row else {
            throw ServiceError(.notFound, "container \"\(id)\" in namespace \"\(namespace)\": not found")
        }
        return try ContainerMessage(serializedBytes: try row.blob("record"))
    }

    private func matching(_ namespace: String, _ expressions: [String]) throws -> [ContainerMessage] {
        let filters = try FilterSet(expressions)
        return try database.query("SELECT record FROM containers WHERE namespace = ? ORDER BY id", [.text(namespace)])
            .map { try ContainerMessage(serializedBytes: try $0.blob("record")) }
            .filter { container in filters.matches(container.filterField) }
    }
}

extension ContainerService {
    package func register(on table: inout RPCHandlerTable) {
        let service = "containerd.services.containers.v1.Containers"
        table.unary(service, "Get", get)
        table.unary(service, "List", list)
        table.serverStream(service, "ListStream", listStream)
        table.unary(service, "Create", create)
        table.unary(service, "Update", update)
        table.unary(service, "Delete", delete)
    }

    private func get(
        _ request: Containerd_Services_Containers_V1_GetContainerRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Containers_V1_GetContainerResponse {
        let found = try container(try context.namespace(), request.id)
        return .with { $0.container = found }
    }

    private func list(
        _ request: Containerd_Services_Containers_V1_ListContainersRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Containers_V1_ListContainersResponse {
        let found = try matching(try context.namespace(), request.filters)
        return .with { $0.containers = found }
    }

    private func listStream(
        _ request: Containerd_Services_Containers_V1_ListContainersRequest, _ context: RPCContext,
        _ send: @escaping @Sendable (Containerd_Services_Containers_V1_ListContainerMessage) async throws -> Void
    ) async throws {
        for container in try matching(try context.namespace(), request.filters) {
            try await send(.with { $0.container = container })
        }
    }

    private func create(
        _ request: Containerd_Services_Containers_V1_CreateContainerRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Containers_V1_CreateContainerResponse {
        let namespace = try context.namespace()
        var container = request.container
        try Self.validate(container)
        try namespaces.ensure(namespace)
        container.createdAt = .now
        container.updatedAt = container.createdAt
        do {
            try database.execute(
                "INSERT INTO containers (namespace, id, record) VALUES (?, ?, ?)",
                [.text(namespace), .text(container.id), .blob(try container.serializedBytes())])
        } catch let error as DatabaseError where error.isConstraintViolation {
            throw ServiceError(.alreadyExists, "container \"\(container.id)\": already exists")
        }
        events.publish(namespace, topic: "/containers/create", container.createEvent)
        return .with { $0.container = container }
    }

    private func update(
        _ request: Containerd_Services_Containers_V1_UpdateContainerRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Containers_V1_UpdateContainerResponse {
        let namespace = try context.namespace()
        let paths = request.updateMask.named
        let updated = try database.write { transaction in
            var container = try Self.find(transaction, namespace, request.container.id)
            try container.update(from: request.container, paths: paths)
            try Self.validate(container)
            container.updatedAt = .now
            try transaction.execute(
                "UPDATE containers SET record = ? WHERE namespace = ? AND id = ?",
                [.blob(try container.serializedBytes()), .text(namespace), .text(container.id)])
            return container
        }
        events.publish(namespace, topic: "/containers/update", updated.updateEvent)
        return .with { $0.container = updated }
    }

    private func delete(
        _ request: Containerd_Services_Containers_V1_DeleteContainerRequest, _ context: RPCContext
    ) throws -> Google_Protobuf_Empty {
        let namespace = try context.namespace()
        try database.write { transaction in
            _ = try Self.find(transaction, namespace, request.id)
            try transaction.execute(
                "DELETE FROM containers WHERE namespace = ? AND id = ?", [.text(namespace), .text(request.id)])
        }
        events.publish(
            namespace, topic: "/containers/delete", Containerd_Events_ContainerDelete.with { $0.id = request.id })
        return Google_Protobuf_Empty()
    }

    private static func validate(_ container: ContainerMessage) throws(ServiceError) {
        try Identifier.validate(container.id, what: "container id")
        guard !container.runtime.name.isEmpty else {
            throw ServiceError(.invalidArgument, "container \"\(container.id)\" needs a runtime name")
        }
        guard container.hasSpec else {
            throw ServiceError(.invalidArgument, "container \"\(container.id)\" needs a spec")
        }
    }
}

extension ContainerMessage {
    fileprivate func filterField(_ path: [String]) -> String? {
        switch path {
        case ["id"]: id
        case ["image"]: image
        case ["runtime", "name"]: runtime.name
        default: labelField(path, labels)
        }
    }

    /// Takes the named fields from `new`, or all that may change if there are no names.
    fileprivate mutating func update(from new: ContainerMessage, paths: [String]?) throws(ServiceError) {
        for path in paths ?? ["labels", "image", "spec", "extensions", "snapshotter", "snapshot_key", "runtime"] {
            switch path {
            case "labels": labels = new.labels
            case "image": image = new.image
            case "spec": spec = new.spec
            case "extensions": extensions = new.extensions
            case "snapshotter": snapshotter = new.snapshotter
            case "snapshot_key", "snapshotkey": snapshotKey = new.snapshotKey
            case "runtime": runtime = new.runtime
            case "runtime.options": runtime.options = new.runtime.options
            case _ where path.hasPrefix("extensions."):
                let key = String(path.dropFirst("extensions.".count))
                extensions[key] = new.extensions[key]
            default: try LabelUpdate([path]).apply(new.labels, to: &labels)
            }
        }
    }

    fileprivate var createEvent: Containerd_Events_ContainerCreate {
        .with {
            $0.id = id
            $0.image = image
            $0.runtime.name = runtime.name
            $0.runtime.options = runtime.options
        }
    }

    fileprivate var updateEvent: Containerd_Events_ContainerUpdate {
        .with {
            $0.id = id
            $0.image = image
            $0.labels = labels
            $0.snapshotKey = snapshotKey
        }
    }
}
