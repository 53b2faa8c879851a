// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
import ContainerdAPI
package import ContentStore
import FoundationEssentials
import LinuxSystem
import OCISpec
import SwiftProtobuf
package import Threads

/// containerd's content service over the content store: blobs, their labels, and ingests.
package final class ContentService: Sendable {
    let store: ContentStore
    let namespaces: NamespaceService
    let leases: LeaseService
    let pool: BlockingPool

    package init(store: ContentStore, namespaces: NamespaceService, leases: LeaseService, pool: BlockingPool) {
        self.store = store
        self.namespaces = namespaces
        self.leases = leases
        self.pool = pool
    }

    /// What one message of a read carries at most, and how many records one of a listing.
    private static let chunk = 256 << 10
    private static let page = 100

    package func register(on table: inout RPCHandlerTable) {
        let service = "containerd.services.content.v1.Content"
        table.unary(service, "Info", info)
        table.unary(service, "Update", update)
        table.serverStream(service, "List", list)
        table.unary(service, "Delete", delete)
        table.serverStream(service, "Read", read)
        table.unary(service, "Status", status)
        table.unary(service, "ListStatuses", listStatuses)
        table.bidirectional(service, "Write", write)
        table.unary(service, "Abort", abort)
    }

    private func info(
        _ request: Containerd_Services_Content_V1_InfoRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Content_V1_InfoResponse {
        let found = try store.info(try context.namespace(), try parseDigest(request.digest))
        return .with { $0.info = found.message }
    }

    private func update(
        _ request: Containerd_Services_Content_V1_UpdateRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Content_V1_UpdateResponse {
        let paths = request.updateMask.named
        var failure: ServiceError?
        let updated = try store.updateLabels(try context.namespace(), try parseDigest(request.info.digest)) { labels in
            do throws(ServiceError) {
                try LabelUpdate(paths).apply(request.info.labels, to: &labels)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return .with { $0.info = updated.message }
    }

    private func list(
        _ request: Containerd_Services_Content_V1_ListContentRequest, _ context: RPCContext,
        _ send: @escaping @Sendable (Containerd_Services_Content_V1_ListContentResponse) async throws -> Void
    ) async throws {
        let filters = try FilterSet(request.filters)
        let found = try store.list(try context.namespace()).filter { info in
            filters.matches { path in
                switch path {
                case ["digest"]: info.digest.string
                case ["size"]: String(info.size)
                default: labelField(path, info.labels)
                }
            }
        }
        var rest = found[...]
        while !rest.isEmpty {
            let page = rest.prefix(Self.page).map { $0.message }
            rest = rest.dropFirst(Self.page)
            try await send(.with { $0.info = page })
        }
    }

    private func delete(
        _ request: Containerd_Services_Content_V1_DeleteContentRequest, _ context: RPCContext
    ) throws -> Google_Protobuf_Empty {
        try store.delete(try context.namespace(), try parseDigest(request.digest))
        return Google_Protobuf_Empty()
    }

    private func read(
        _ request: Containerd_Services_Content_V1_ReadContentRequest, _ context: RPCContext,
        _ send: @escaping @Sendable (Containerd_Services_Content_V1_ReadContentResponse) async throws -> Void
    ) async throws {
        let reader = try store.reader(try context.namespace(), try parseDigest(request.digest))
        guard request.offset >= 0, request.offset <= reader.size, request.size >= 0 else {
            throw ServiceError(.invalidArgument, "read offset \(request.offset) is past the end: out of range")
        }
        let wanted = request.size == 0 ? reader.size - request.offset : request.size
        let end = min(reader.size, request.offset + min(wanted, reader.size))
        var offset = request.offset
        while offset < end {
            let (from, count) = (offset, Int(min(Int64(Self.chunk), end - offset)))
            let bytes = try await pool.run { try reader.read(at: from, count: count) }
            guard !bytes.isEmpty else { return }
            try await send(
                .with {
                    $0.offset = from
                    $0.data = Data(bytes)
                })
            offset += Int64(bytes.count)
        }
    }

    private func status(
        _ request: Containerd_Services_Content_V1_StatusRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Content_V1_StatusResponse {
        let found = try store.status(try context.namespace(), ref: request.ref)
        return .with { $0.status = found.message }
    }

    private func listStatuses(
        _ request: Containerd_Services_Content_V1_ListStatusesRequest, _ context: RPCContext
    ) throws -> Containerd_Services_Content_V1_ListStatusesResponse {
        let filters = try FilterSet(request.filters)
        let found = try store.statuses(try context.namespace()).filter { status in
            filters.matches { $0 == ["ref"] ? status.ref : nil }
        }
        return .with { $0.statuses = found.map { $0.message } }
    }

    private func abort(
        _ request: Containerd_Services_Content_V1_AbortRequest, _ context: RPCContext
    ) throws -> Google_Protobuf_Empty {
        try store.abort(try context.namespace(), ref: request.ref)
        return Google_Protobuf_Empty()
    }
}

/// A digest that a client sent.
func parseDigest(_ text: String) throws(ServiceError) -> Digest {
    do throws(ImageSpecError) { return try Digest(text) } catch {
        throw ServiceError(.invalidArgument, "digest \"\(text)\": \(error.description)")
    }
}

extension ContentInfo {
    fileprivate var message: Containerd_Services_Content_V1_Info {
        .with {
            $0.digest = digest.string
            $0.size = size
            $0.createdAt = Google_Protobuf_Timestamp(createdAt)
            $0.updatedAt = Google_Protobuf_Timestamp(updatedAt)
            $0.labels = labels
        }
    }
}

extension IngestStatus {
    fileprivate var message: Containerd_Services_Content_V1_Status {
        .with {
            $0.ref = ref
            $0.offset = offset
            $0.total = total
            $0.expected = expected?.string ?? ""
            $0.startedAt = Google_Protobuf_Timestamp(startedAt)
            $0.updatedAt = Google_Protobuf_Timestamp(updatedAt)
        }
    }
}
