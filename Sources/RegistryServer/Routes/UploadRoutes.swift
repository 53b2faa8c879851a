// SPDX-License-Identifier: Apache-2.0
import ContentStore
import HTTPServer
import JSON
import LinuxSystem
import OCISpec

/// Blobs on their way in: from nothing, in one request or many, or from another repository (endpoints 4 to 6, 11, 13
/// and 14).
struct UploadRoutes: Sendable {
    let store: RegistryStore
    let uploads: Uploads

    /// How much is collected before it is written.
    private static let pieceBytes = 1 << 20

    func register(on router: inout PathRouter<RegistryRequest.Handler>) {
        router.on(.post, "/v2/{name:.*}/blobs/uploads", start)
        router.on(.get, "/v2/{name:.*}/blobs/uploads/{id}", status)
        router.on(.patch, "/v2/{name:.*}/blobs/uploads/{id}", append)
        router.on(.put, "/v2/{name:.*}/blobs/uploads/{id}", finish)
        router.on(.delete, "/v2/{name:.*}/blobs/uploads/{id}", cancel)
    }

    @Sendable private func start(_ request: RegistryRequest) async throws -> Response {
        let repository = try request.repository()
        if let text = request.query.get("mount"), let digest = try? Digest(text),
            try await mount(digest, into: repository, from: request.query.get("from"))
        {
            return stored(repository, digest)
        }
        if let algorithm = request.query.get("digest-algorithm"), Digest.Algorithm(rawValue: algorithm) == nil {
            throw APIError(.digestInvalid, ["digest-algorithm": .string(algorithm)])
        }
        let digest = try request.query.get("digest").map { text throws(APIError) in try Digest(checking: text) }
        let id = try await uploads.start(repository)
        return try await uploads.resume(repository, id) { writer in
            guard let digest else { return progress(repository, writer, .accepted) }
            do { return try await take(request, all: digest, writer, repository) } catch {
                try? await store.blocking { _ in writer.discard() }  // nobody was told where to go on
                throw error
            }
        }
    }

    /// Makes a blob visible that `source` has, or any repository if none is named: who may read one may read all.
    private func mount(_ digest: Digest, into repository: RepositoryName, from source: String?) async throws -> Bool {
        let source = try source.map { name throws(APIError) in try RepositoryName(name) }
        return try await store.blocking { store in
            if let source, try !store.content.contains(source.blobs, digest) { return false }
            return try store.content.adopt(repository.blobs, digest)
        }
    }

    @Sendable private func status(_ request: RegistryRequest) async throws -> Response {
        let repository = try request.repository()
        return try await uploads.resume(repository, request.parameter("id")) { progress(repository, $0, .noContent) }
    }

    @Sendable private func append(_ request: RegistryRequest) async throws -> Response {
        let repository = try request.repository()
        return try await uploads.resume(repository, request.parameter("id")) { writer in
            try await append(request, to: writer, repository)
            return progress(repository, writer, .accepted)
        }
    }

    @Sendable private func finish(_ request: RegistryRequest) async throws -> Response {
        let repository = try request.repository()
        let digest = try Digest(checking: request.query.get("digest") ?? "")
        return try await uploads.resume(repository, request.parameter("id")) { writer in
            try await take(request, all: digest, writer, repository)
        }
    }

    @Sendable private func cancel(_ request: RegistryRequest) async throws -> Response {
        try await uploads.resume(try request.repository(), request.parameter("id")) { writer in
            try await store.blocking { _ in writer.discard() }
        }
        return .empty(.noContent)
    }

    /// Appends the body and makes the whole a blob. What is not of that digest is thrown away.
    private func take(
        _ request: RegistryRequest, all digest: Digest, _ writer: ContentWriter, _ repository: RepositoryName
    ) async throws -> Response {
        try await append(request, to: writer, repository)
        do {
            _ = try await store.blocking { _ in try writer.commit(expected: digest) }
        } catch let error as ServiceError where error.kind == .alreadyExists {
            // The repository had it before: that is as good.
        } catch let error as ServiceError where error.kind == .failedPrecondition {
            try await store.blocking { _ in writer.discard() }
            throw APIError(.digestInvalid, ["digest": .string(digest.string)])
        }
        return stored(repository, digest)
    }

    /// Appends the body. What has arrived stays even if the connection breaks: the client asks how far it came.
    private func append(
        _ request: RegistryRequest, to writer: ContentWriter, _ repository: RepositoryName
    ) async throws {
        let expected = try expectedBytes(request, writer, repository)
        var (received, pending): (Int64, [UInt8]) = (0, [])
        do {
            for try await piece in request.body {
                received += Int64(piece.count)
                if let expected, received > expected { throw APIError(.sizeInvalid) }
                pending += piece
                if pending.count >= Self.pieceBytes { try await write(&pending, writer) }
            }
            if let expected, received < expected { throw APIError(.sizeInvalid) }
        } catch {
            if !pending.isEmpty { try? await write(&pending, writer) }
            throw error
        }
        try await write(&pending, writer)
    }

    private func write(_ pending: inout [UInt8], _ writer: ContentWriter) async throws {
        let bytes = pending
        pending = []
        try await store.blocking { _ in try writer.write(bytes) }
    }

    /// How long the body must be; nil if only its end tells. A chunk that does not begin where the upload stands is
    /// refused unread.
    private func expectedBytes(
        _ request: RegistryRequest, _ writer: ContentWriter, _ repository: RepositoryName
    ) throws -> Int64? {
        guard let text = request.head.headers["Content-Range"] else { return nil }
        guard let range = ChunkRange(text), range.first == writer.status.offset else {
            throw APIError(
                .blobUploadInvalid, ["Content-Range": .string(text)], status: .rangeNotSatisfiable,
                headers: progressFields(repository, writer))
        }
        if case .length(let length) = request.head.framing, length != UInt64(range.count) {
            throw APIError(.sizeInvalid, ["Content-Range": .string(text)])
        }
        return range.count
    }

    // MARK: Answers

    private func progress(_ repository: RepositoryName, _ writer: ContentWriter, _ status: Status) -> Response {
        .with(headers: progressFields(repository, writer), .empty(status))
    }

    private func progressFields(
        _ repository: RepositoryName, _ writer: ContentWriter
    ) -> [(name: String, value: String)] {
        [
            ("Location", "/v2/\(repository.string)/blobs/uploads/\(writer.ref)"),
            ("Range", "0-\(max(0, writer.status.offset - 1))"), ("Docker-Upload-UUID", writer.ref),
        ]
    }

    private func stored(_ repository: RepositoryName, _ digest: Digest) -> Response {
        let location = ("Location", "/v2/\(repository.string)/blobs/\(digest.string)")
        return .with(headers: [location, ("Docker-Content-Digest", digest.string)], .empty(.created))
    }
}
