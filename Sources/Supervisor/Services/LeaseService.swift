// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
import ContainerdAPI
import FoundationEssentials
import LinuxSystem
package import Metadata
import SwiftProtobuf

/// Leases: names under which a client keeps resources that nothing refers to yet from being collected.
package final class LeaseService: Sendable {
    private let database: Database
    private let namespaces: NamespaceService
    private let collect: @Sendable (_ namespace: String) async throws -> Void

    /// - Parameter collect: removes what nothing needs any more; for a deletion that is to wait for that.
    package init(
        database: Database, namespaces: NamespaceService,
        collect: @escaping @Sendable (_ namespace: String) async throws -> Void
    ) {
        self.database = database
        self.namespaces = namespaces
        self.collect = collect
    }

    /// Notes that a resource made under a lease belongs to it. A lease that does not exist is an error.
    package func add(_ namespace: String, lease: String, type: String, id: String) throws {
        do {
            try database.execute(
                "INSERT OR IGNORE INTO lease_resources (namespace, lease, type, id) VALUES (?, ?, ?, ?)",
                [.text(namespace), .text(lease), .text(type), .text(id)])
        } catch let error as DatabaseError where error.isConstraintViolation {
            throw notFound(lease)
        }
    }

    /// Notes what a call made, if the call was made under a lease.
    func note(_ context: RPCContext, type: String, id: String) throws {
        guard let lease = context.lease, !lease.isEmpty else { return }
        try add(try context.namespace(), lease: lease, type: type, id: id)
    }

    private func notFound(_ id: String) -> ServiceError { ServiceError(.notFound, "lease \"\(id)\": not found") }
}

private typealias Lease = Containerd_Services_Leases_V1_Lease

extension LeaseService {
    package func register(on table: inout RPCHandlerTable) {
        let service = "containerd.services.leases.v1.Leases"
        table.unary(service, "Create", create)
        table.unary(service, "Delete", delete)
        table.unary(service, "List", list)
        table.unary(service, "AddResource", addResource)
        table.unary(service, "DeleteResource", deleteResource)
        table.unary(service, "ListResources", listResources)
    }

    private func create(
        _ request: Containerd_Services_Leases_V1_CreateRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Leases_V1_CreateResponse {
        let namespace = try context.namespace()
        let id = request.id.isEmpty ? UUID().uuidString.lowercased() : request.id
        guard id.utf8.count <= 256 else { throw ServiceError(.invalidArgument, "lease id is too long") }
        try namespaces.ensure(namespace)
        let now = Timestamp.now
        do {
            try database.execute(
                "INSERT INTO leases (namespace, id, created_at, labels) VALUES (?, ?, ?, ?)",
                [.text(namespace), .text(id), .int64(now.nanoseconds), .labels(request.labels)])
        } catch let error as DatabaseError where error.isConstraintViolation {
            throw ServiceError(.alreadyExists, "lease \"\(id)\": already exists")
        }
        return .with {
            $0.lease.id = id
            $0.lease.createdAt = Google_Protobuf_Timestamp(now)
            $0.lease.labels = request.labels
        }
    }

    private func delete(
        _ request: Containerd_Services_Leases_V1_DeleteRequest, _ context: RPCContext
    ) async throws -> Google_Protobuf_Empty {
        let namespace = try context.namespace()
        let removed = try database.execute(
            "DELETE FROM leases WHERE namespace = ? AND id = ?", [.text(namespace), .text(request.id)])
        if removed == 0 { throw notFound(request.id) }
        if request.sync { try await collect(namespace) }
        return Google_Protobuf_Empty()
    }

    private func list(
        _ request: Containerd_Services_Leases_V1_ListRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Leases_V1_ListResponse {
        let filters = try FilterSet(request.filters)
        let rows = try database.query(
            "SELECT id, created_at, labels FROM leases WHERE namespace = ? ORDER BY id",
            [.text(try context.namespace())])
        let all = try rows.map { row in
            let (id, created, labels) = (try row.text("id"), try row.int64("created_at"), try row.labels("labels"))
            return Lease.with {
                $0.id = id
                $0.createdAt = Google_Protobuf_Timestamp(unixNanoseconds: created)
                $0.labels = labels
            }
        }
        return .with {
            $0.leases = all.filter { lease in
                filters.matches { $0 == ["id"] ? lease.id : labelField($0, lease.labels) }
            }
        }
    }

    private func addResource(
        _ request: Containerd_Services_Leases_V1_AddResourceRequest, _ context: RPCContext
    ) throws -> Google_Protobuf_Empty {
        try add(try context.namespace(), lease: request.id, type: request.resource.type, id: request.resource.id)
        return Google_Protobuf_Empty()
    }

    private func deleteResource(
        _ request: Containerd_Services_Leases_V1_DeleteResourceRequest, _ context: RPCContext
    ) throws -> Google_Protobuf_Empty {
        try database.execute(
            "DELETE FROM lease_resources WHERE namespace = ? AND lease = ? AND type = ? AND id = ?",
            [
                .text(try context.namespace()), .text(request.id), .text(request.resource.type),
                .text(request.resource.id),
            ])
        return Google_Protobuf_Empty()
    }

    private func listResources(
        _ request: Containerd_Services_Leases_V1_ListResourcesRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Leases_V1_ListResourcesResponse {
        let namespace = try context.namespace()
        let key: [Value] = [.text(namespace), .text(request.id)]
        guard try !database.query("SELECT 1 FROM leases WHERE namespace = ? AND id = ?", key).isEmpty else {
            throw notFound(request.id)
        }
        let rows = try database.query(
            "SELECT type, id FROM lease_resources WHERE namespace = ? AND lease = ? ORDER BY type, id", key)
        let resources = try rows.map { row in
            let (type, id) = (try row.text("type"), try row.text("id"))
            return Containerd_Services_Leases_V1_Resource.with {
                $0.type = type
                $0.id = id
            }
        }
        return .with { $0.resources = resources }
    }
}
