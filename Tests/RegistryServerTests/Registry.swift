// SPDX-License-Identifier: Apache-2.0
import ContentStore
import JSON
import LinuxSystem
import Logging
import OCISpec

@testable import HTTPServer
@testable import RegistryServer

/// A registry without sockets, on a directory of its own.
final class Registry: Sendable {
    let root: FilePath
    let store: RegistryStore
    let uploads: Uploads
    private let responder: RegistryResponder

    init(_ change: (inout RegistryOptions) -> Void = { $0.allowsDelete = true }) throws {
        root = FilePath("/tmp/swrun-registry-\(randomIdentifier())")
        store = try RegistryStore(root: root)
        uploads = Uploads(store)
        var options = RegistryOptions()
        change(&options)
        responder = RegistryResponder(store, uploads, options, Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    deinit { try? removeTree(root) }

    /// What came back.
    struct Answer {
        var status: Int
        var headers = HeaderFields()
        var body: [UInt8] = []

        var text: String { String(decoding: body, as: UTF8.self) }
        var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
        /// The first error's code.
        var code: String { json["errors"]?.array?.first?["code"]?.string ?? "" }
    }

    func ask(
        _ method: String, _ target: String, _ body: [UInt8] = [], _ headers: [(name: String, value: String)] = []
    ) async throws -> Answer {
        var fields = HeaderFields()
        for header in headers { fields.append(header.name, header.value) }
        let head = RequestHead(
            method: method, target: target, minorVersion: 1, headers: fields,
            framing: body.isEmpty ? .none : .length(UInt64(body.count)))
        return try await Self.read(await responder.respond(to: head, body: RequestBody(body)))
    }

    private static func read(_ response: Response) async throws -> Answer {
        switch response {
        case .with(let more, let inner):
            var answer = try await read(inner)
            for field in more { answer.headers.append(field.name, field.value) }
            return answer
        case .json(let status, let value): return Answer(status: status.code, body: value.bytes())
        case .bytes(let status, let type, let bytes):
            var answer = Answer(status: status.code, body: bytes)
            answer.headers.append("Content-Type", type)
            return answer
        case .sized(let status, _, _, let produce):
            let collector = Collector()
            try await produce(collector)
            return Answer(status: status.code, body: await collector.bytes)
        default: return Answer(status: response.status.code)
        }
    }

    private actor Collector: BodyWriter {
        private(set) var bytes: [UInt8] = []
        func write(_ more: [UInt8]) async throws { bytes += more }
    }

    // MARK: What tests push

    /// Pushes a blob in one request; returns its descriptor.
    func push(_ text: String, to repository: String, type: String = MediaType.ociLayer) async throws -> Descriptor {
        let bytes = Array(text.utf8)
        let digest = Digest.sha256(of: bytes)
        _ = try await ask("POST", "/v2/\(repository)/blobs/uploads/?digest=\(digest)", bytes)
        return Descriptor(mediaType: type, digest: digest, size: Int64(bytes.count))
    }

    /// A manifest of one layer, with its blobs in the repository.
    func image(
        _ name: String, in repository: String, subject: Descriptor? = nil,
        annotation: (key: String, value: String)? = nil
    ) async throws -> [UInt8] {
        let config = try await push("{\"config\":{}, \"name\":\"\(name)\"}", to: repository, type: MediaType.ociConfig)
        var manifest = Manifest(
            mediaType: MediaType.ociManifest, config: config, layers: [try await push(name, to: repository)])
        manifest.subject = subject
        if let annotation { manifest.annotations[annotation.key] = annotation.value }
        return manifest.json.bytes()
    }

    func put(_ manifest: [UInt8], _ reference: String, in repository: String) async throws -> Answer {
        try await ask(
            "PUT", "/v2/\(repository)/manifests/\(reference)", manifest, [("Content-Type", MediaType.ociManifest)])
    }
}
