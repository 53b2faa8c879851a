// SPDX-License-Identifier: Apache-2.0
import ContentStore
import HTTPServer
import JSON
import LinuxSystem
import OCISpec

/// Blobs that are whole: reading and deleting (endpoints 2 and 10).
struct BlobRoutes: Sendable {
    let store: RegistryStore

    /// How much of a blob is in memory for each client that reads one.
    private static let pieceBytes = 256 << 10

    func register(on router: inout PathRouter<RegistryRequest.Handler>) {
        router.on(.get, "/v2/{name:.*}/blobs/{digest}", read)
        router.on(.delete, "/v2/{name:.*}/blobs/{digest}", delete)
    }

    @Sendable private func read(_ request: RegistryRequest) async throws -> Response {
        let (repository, digest) = (try request.repository(), try request.digest())
        let reader = try await unlessUnknown(digest) {
            try await store.blocking { try $0.content.reader(repository.blobs, digest) }
        }
        let fields =
            contentFields(digest) + [("Accept-Ranges", "bytes"), ("Cache-Control", "max-age=31536000, immutable")]
        if request.has(digest) { return .with(headers: fields, .empty(.notModified)) }
        switch BlobRange(request.head.headers["Range"], size: reader.size) {
        case .whole: return .with(headers: fields, send(reader, .ok, 0, reader.size))
        case .part(let first, let count):
            let part = ("Content-Range", "bytes \(first)-\(first + count - 1)/\(reader.size)")
            return .with(headers: fields + [part], send(reader, .partialContent, first, count))
        case .unsatisfiable:
            throw APIError(
                .sizeInvalid, status: .rangeNotSatisfiable, headers: [("Content-Range", "bytes */\(reader.size)")])
        }
    }

    private func send(_ reader: ContentReader, _ status: Status, _ first: Int64, _ count: Int64) -> Response {
        .sized(status, contentType: "application/octet-stream", length: count) { body in
            var (offset, left) = (first, count)
            while left > 0 {
                let (start, wanted) = (offset, Int(min(left, Int64(Self.pieceBytes))))
                let piece = try await store.blocking { _ in try reader.read(at: start, count: wanted) }
                guard piece.count == wanted else {
                    throw ServiceError(.internal, "the file of a blob has become shorter")
                }
                try await body.write(piece)
                offset += Int64(wanted)
                left -= Int64(wanted)
            }
        }
    }

    @Sendable private func delete(_ request: RegistryRequest) async throws -> Response {
        let (repository, digest) = (try request.repository(), try request.digest())
        try await unlessUnknown(digest) {
            try await store.blocking { try $0.content.delete(repository.blobs, digest) }
        }
        return .empty(.accepted)
    }

    private func unlessUnknown<R>(_ digest: Digest, _ body: () async throws -> R) async throws -> R {
        do { return try await body() } catch let error as ServiceError where error.kind == .notFound {
            throw APIError(.blobUnknown, ["digest": .string(digest.string)])
        }
    }
}
