// SPDX-License-Identifier: Apache-2.0
import AsyncTTRPC
import ContainerdAPI
import ContentStore
import FoundationEssentials
import LinuxSystem
import OCISpec
import SwiftProtobuf
import Threads

private typealias WriteRequest = Containerd_Services_Content_V1_WriteContentRequest
private typealias WriteResponse = Containerd_Services_Content_V1_WriteContentResponse

// The Write stream: the first request opens the ingest, each one is answered with where the ingest stands, and the
// commit ends it.
extension ContentService {
    func write(
        _ requests: TTRPCMessages<Containerd_Services_Content_V1_WriteContentRequest>, _ context: RPCContext,
        _ send: @escaping @Sendable (Containerd_Services_Content_V1_WriteContentResponse) async throws -> Void
    ) async throws {
        let namespace = try context.namespace()
        try namespaces.ensure(namespace)
        var writer: ContentWriter?
        for try await request in requests {
            if !request.expected.isEmpty { try leases.note(context, type: "content", id: request.expected) }
            let current = try writer ?? open(namespace, request)
            writer = current
            try await pool.run { try Self.append(request, to: current) }
            // Before the commit: a collection may come right after it.
            if request.action == .commit { try leases.note(context, type: "content", id: current.digest.string) }
            try await send(try await pool.run { try Self.answer(request, current) })
            if request.action == .commit { return }
        }
    }

    private func open(_ namespace: String, _ request: WriteRequest) throws -> ContentWriter {
        guard !request.ref.isEmpty else {
            throw ServiceError(.invalidArgument, "the first message of a write needs a ref")
        }
        let expected = request.expected.isEmpty ? nil : try parseDigest(request.expected)
        return try store.writer(namespace, ref: request.ref, total: request.total, expected: expected)
    }

    private static func append(_ request: WriteRequest, to writer: ContentWriter) throws {
        guard request.action != .stat, !request.data.isEmpty else { return }
        try writer.write([UInt8](request.data), at: request.offset)
    }

    private static func answer(_ request: WriteRequest, _ writer: ContentWriter) throws -> WriteResponse {
        guard request.action == .commit else { return response(request.action, writer) }
        let expected = request.expected.isEmpty ? nil : try parseDigest(request.expected)
        let stood = response(.commit, writer, hasDigest: false)
        let committed = try writer.commit(size: request.total, expected: expected, labels: request.labels)
        var answer = stood
        answer.digest = committed.string
        return answer
    }

    private static func response(
        _ action: Containerd_Services_Content_V1_WriteAction, _ writer: ContentWriter, hasDigest: Bool = true
    ) -> WriteResponse {
        let status = writer.status
        return .with {
            $0.action = action
            $0.offset = status.offset
            $0.total = status.total
            $0.startedAt = Google_Protobuf_Timestamp(status.startedAt)
            $0.updatedAt = Google_Protobuf_Timestamp(status.updatedAt)
            if hasDigest { $0.digest = writer.digest.string }
        }
    }
}
