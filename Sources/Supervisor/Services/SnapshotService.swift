// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
import ContainerdAPI
import LinuxSystem
package import Snapshots
import SwiftProtobuf
package import Threads

/// containerd's snapshots service over our drivers.
package final class SnapshotService: Sendable {
    private let drivers: [String: any Snapshotter]
    private let namespaces: NamespaceService
    private let events: EventService
    private let leases: LeaseService
    private let pool: BlockingPool

    package init(
        drivers: [any Snapshotter], namespaces: NamespaceService, events: EventService, leases: LeaseService,
        pool: BlockingPool
    ) {
        self.drivers = Dictionary(drivers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.namespaces = namespaces
        self.events = events
        self.leases = leases
        self.pool = pool
    }

    private static let page = 100

    package func register(on table: inout RPCHandlerTable) {
        let service = "containerd.services.snapshots.v1.Snapshots"
        table.unary(service, "Prepare", prepare)
        table.unary(service, "View", view)
        table.unary(service, "Mounts", mounts)
        table.unary(service, "Commit", commit)
        table.unary(service, "Remove", remove)
        table.unary(service, "Stat", stat)
        table.unary(service, "Update", update)
        table.serverStream(service, "List", list)
        table.unary(service, "Usage", usage)
        table.unary(service, "Cleanup", cleanup)
    }

    private func driver(_ name: String) throws(ServiceError) -> any Snapshotter {
        guard !name.isEmpty else { throw ServiceError(.invalidArgument, "snapshotter argument missing") }
        guard let driver = drivers[name] else {
            throw ServiceError(.invalidArgument, "snapshotter not loaded: \(name)")
        }
        return driver
    }

    private func prepare(
        _ request: Containerd_Services_Snapshots_V1_PrepareSnapshotRequest, _ context: RPCContext
    ) async throws -> Containerd_Services_Snapshots_V1_PrepareSnapshotResponse {
        let (driver, namespace) = (try driver(request.snapshotter), try context.namespace())
        try namespaces.ensure(namespace)
        try leases.note(context, type: "snapshots/" + driver.name, id: request.key)
        let mounts = try await pool.run {
            try driver.prepare(namespace, request.key, parent: request.parent, labels: request.labels)
        }
        events.publish(
            namespace, topic: "/snapshot/prepare",
            Containerd_Events_SnapshotPrepare.with {
                $0.key = request.key
                $0.parent = request.parent
                $0.snapshotter = request.snapshotter
            })
        return .with { $0.mounts = mounts.map { $0.message } }
    }

    private func view(
        _ request: Containerd_Services_Snapshots_V1_ViewSnapshotRequest, _ context: RPCContext
    ) async throws -> Containerd_Services_Snapshots_V1_ViewSnapshotResponse {
        let (driver, namespace) = (try driver(request.snapshotter), try context.namespace())
        try namespaces.ensure(namespace)
        try leases.note(context, type: "snapshots/" + driver.name, id: request.key)
        let mounts = try await pool.run {
            try driver.view(namespace, request.key, parent: request.parent, labels: request.labels)
        }
        return .with { $0.mounts = mounts.map { $0.message } }
    }

    private func mounts(
        _ request: Containerd_Services_Snapshots_V1_MountsRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Snapshots_V1_MountsResponse {
        let mounts = try driver(request.snapshotter).mounts(try context.namespace(), request.key)
        return .with { $0.mounts = mounts.map { $0.message } }
    }

    private func commit(
        _ request: Containerd_Services_Snapshots_V1_CommitSnapshotRequest, _ context: RPCContext
    ) async throws -> Google_Protobuf_Empty {
        let (driver, namespace) = (try driver(request.snapshotter), try context.namespace())
        try leases.note(context, type: "snapshots/" + driver.name, id: request.name)
        try await pool.run {
            try driver.commit(namespace, name: request.name, key: request.key, labels: request.labels)
        }
        events.publish(
            namespace, topic: "/snapshot/commit",
            Containerd_Events_SnapshotCommit.with {
                $0.key = request.key
                $0.name = request.name
                $0.snapshotter = request.snapshotter
            })
        return Google_Protobuf_Empty()
    }

    private func remove(
        _ request: Containerd_Services_Snapshots_V1_RemoveSnapshotRequest, _ context: RPCContext
    ) async throws -> Google_Protobuf_Empty {
        let (driver, namespace) = (try driver(request.snapshotter), try context.namespace())
        try await pool.run { try driver.remove(namespace, request.key) }
        events.publish(
            namespace, topic: "/snapshot/remove",
            Containerd_Events_SnapshotRemove.with {
                $0.key = request.key
                $0.snapshotter = request.snapshotter
            })
        return Google_Protobuf_Empty()
    }

    private func stat(
        _ request: Containerd_Services_Snapshots_V1_StatSnapshotRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Snapshots_V1_StatSnapshotResponse {
        let info = try driver(request.snapshotter).stat(try context.namespace(), request.key)
        return .with { $0.info = info.message }
    }

    private func update(
        _ request: Containerd_Services_Snapshots_V1_UpdateSnapshotRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Snapshots_V1_UpdateSnapshotResponse {
        let paths = request.updateMask.named
        let (driver, namespace) = (try driver(request.snapshotter), try context.namespace())
        var failure: ServiceError?
        let info = try driver.updateLabels(namespace, request.info.name) { labels in
            do throws(ServiceError) {
                try LabelUpdate(paths).apply(request.info.labels, to: &labels)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return .with { $0.info = info.message }
    }

    private func list(
        _ request: Containerd_Services_Snapshots_V1_ListSnapshotsRequest, _ context: RPCContext,
        _ send: @escaping @Sendable (Containerd_Services_Snapshots_V1_ListSnapshotsResponse) async throws -> Void
    ) async throws {
        let filters = try FilterSet(request.filters)
        let all = try driver(request.snapshotter).list(try context.namespace()).sorted { $0.name < $1.name }
            .map { $0.message }
        var rest = all.filter { info in
            filters.matches { path in
                switch path {
                case ["name"]: info.name
                case ["parent"]: info.parent
                case ["kind"]: "\(info.kind)"
                default: labelField(path, info.labels)
                }
            }
        }[...]
        while !rest.isEmpty {
            let page = Array(rest.prefix(Self.page))
            rest = rest.dropFirst(Self.page)
            try await send(.with { $0.info = page })
        }
    }

    private func usage(
        _ request: Containerd_Services_Snapshots_V1_UsageRequest, _ context: RPCContext
    ) async throws -> Containerd_Services_Snapshots_V1_UsageResponse {
        let (driver, namespace) = (try driver(request.snapshotter), try context.namespace())
        let usage = try await pool.run { try driver.usage(namespace, request.key) }
        return .with {
            $0.size = usage.bytes
            $0.inodes = usage.inodes
        }
    }

    private func cleanup(
        _ request: Containerd_Services_Snapshots_V1_CleanupRequest, _ context: RPCContext
    ) async throws -> Google_Protobuf_Empty {
        let driver = try driver(request.snapshotter)
        try await pool.run { try driver.cleanup() }
        return Google_Protobuf_Empty()
    }
}

extension SnapshotMount {
    var message: MountMessage {
        .with {
            $0.type = type
            $0.source = source
            $0.options = options
        }
    }

    init(_ message: MountMessage) {
        self.init(type: message.type, source: message.source, options: message.options)
    }
}

extension SnapshotInfo {
    fileprivate var message: Containerd_Services_Snapshots_V1_Info {
        .with {
            $0.name = name
            $0.parent = parent
            $0.kind = kind.message
            $0.createdAt = Google_Protobuf_Timestamp(createdAt)
            $0.updatedAt = Google_Protobuf_Timestamp(updatedAt)
            $0.labels = labels
        }
    }
}

extension SnapshotKind {
    fileprivate var message: Containerd_Services_Snapshots_V1_Kind {
        switch self {
        case .view: .view
        case .active: .active
        case .committed: .committed
        }
    }
}
