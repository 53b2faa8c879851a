// SPDX-License-Identifier: Apache-2.0
import ContentStore
import HTTPServer
import JSON
import LinuxSystem
import OCISpec

/// Manifests and indexes by tag or digest (endpoints 3, 7 and 9).
struct ManifestRoutes: Sendable {
    let store: RegistryStore

    func register(on router: inout PathRouter<RegistryRequest.Handler>) {
        router.on(.get, "/v2/{name:.*}/manifests/{reference}", read)
        router.on(.put, "/v2/{name:.*}/manifests/{reference}", put)
        router.on(.delete, "/v2/{name:.*}/manifests/{reference}", delete)
    }

    @Sendable private func read(_ request: RegistryRequest) async throws -> Response {
        let (repository, reference) = (try request.repository(), try reference(request))
        let (manifest, bytes) = try await store.blocking { store in
            let manifest = try store.manifest(repository, reference)
            return (manifest, try store.bytes(repository, manifest))
        }
        let fields = contentFields(manifest.digest)
        if request.has(manifest.digest) { return .with(headers: fields, .empty(.notModified)) }
        return .with(headers: fields, .bytes(.ok, contentType: manifest.mediaType, bytes))
    }

    @Sendable private func put(_ request: RegistryRequest) async throws -> Response {
        let repository = try request.repository()
        let name = request.parameter("reference")
        guard let reference = try ManifestReference(name) else { throw invalid("invalid tag \"\(name)\"") }
        let bytes = try await body(request)
        let incoming = try incoming(request, repository, reference, bytes)
        try await store.blocking { try $0.put(incoming) }
        var fields = [
            (name: "Location", value: "/v2/\(repository.string)/manifests/\(incoming.digest.string)"),
            (name: "Docker-Content-Digest", value: incoming.digest.string),
        ]
        if let subject = incoming.document.subject { fields.append(("OCI-Subject", subject.string)) }
        if case .digest = reference { fields += incoming.tags.map { ("OCI-Tag", $0) } }
        return .with(headers: fields, .empty(.created))
    }

    /// What is larger than clients read is refused, if possible before it comes.
    private func body(_ request: RegistryRequest) async throws -> [UInt8] {
        let limit = ImageDocument.maximumBytes
        let refusal = APIError(
            .sizeInvalid, .string("a manifest has at most \(limit) bytes"), status: .contentTooLarge)
        if case .length(let length) = request.head.framing, length > UInt64(limit) { throw refusal }
        do { return try await request.body.collect(upTo: limit) } catch is ServiceError { throw refusal }
    }

    private func incoming(
        _ request: RegistryRequest, _ repository: RepositoryName, _ reference: ManifestReference, _ bytes: [UInt8]
    ) throws(APIError) -> IncomingManifest {
        let type = mediaType(request)
        let document: ImageDocument
        do throws(ImageSpecError) { document = try ImageDocument(parsing: bytes, mediaType: type) } catch {
            throw invalid(error.message)
        }
        var incoming = IncomingManifest(
            repository: repository, digest: .sha256(of: bytes), mediaType: type.isEmpty ? document.mediaType : type,
            bytes: bytes, document: document, tags: request.query.all("tag"))
        switch reference {
        case .tag(let tag): incoming.tags = [tag]
        case .digest(let digest):
            guard Digest.of(bytes, digest.algorithm) == digest else {
                throw APIError(.digestInvalid, ["digest": .string(digest.string)])
            }
            incoming.digest = digest
        }
        for tag in incoming.tags where !ReferenceGrammar.isTag(tag) { throw invalid("invalid tag \"\(tag)\"") }
        return incoming
    }

    /// `Content-Type` without its parameters.
    private func mediaType(_ request: RegistryRequest) -> String {
        let field = request.head.headers["Content-Type"] ?? ""
        return trimmed(String(field.prefix { $0 != ";" }))
    }

    private func invalid(_ reason: String) -> APIError { APIError(.manifestInvalid, .string(reason)) }

    @Sendable private func delete(_ request: RegistryRequest) async throws -> Response {
        let (repository, reference) = (try request.repository(), try reference(request))
        try await store.blocking { try $0.delete(repository, reference) }
        return .empty(.accepted)
    }

    /// What can be no tag names nothing.
    private func reference(_ request: RegistryRequest) throws(APIError) -> ManifestReference {
        let name = request.parameter("reference")
        guard let reference = try ManifestReference(name) else {
            throw APIError(.manifestUnknown, .string("unknown tag=" + name))
        }
        return reference
    }
}
