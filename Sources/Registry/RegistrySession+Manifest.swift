// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import Crypto
import NIOCore
import NIOHTTP1
package import OCISpec

/// A manifest or index as the registry serves it, its digest verified.
package struct FetchedManifest: Sendable {
    package var descriptor: Descriptor
    package var bytes: [UInt8]
}

extension RegistrySession {
    /// What the reference points to, without fetching it where the registry says enough in its headers (registries
    /// count fetches, not questions).
    package func resolve() async throws -> Descriptor {
        let target = reference.digest?.string ?? reference.taggedByDefault.tag ?? ""
        let response = try await request(.GET, head: "manifests/" + target)
        if let descriptor = descriptor(response) { return descriptor }
        return try await manifest(target).descriptor
    }

    /// Asks with HEAD; a refusal is asked again with GET, since only that has a body to explain it.
    private func request(_ method: HTTPMethod, head path: String) async throws -> HTTPClientResponse {
        do { return try await request(.HEAD, path, headers: Self.accept) } catch let error as RegistryError {
            guard case .refused = error else { throw error }
            return try await request(method, path, headers: Self.accept)
        }
    }

    private func descriptor(_ response: HTTPClientResponse) -> Descriptor? {
        guard let text = response.headers.first(name: "Docker-Content-Digest"), let digest = try? OCISpec.Digest(text),
            let length = response.headers.first(name: "Content-Length").flatMap({ Int64($0) }), length > 0,
            reference.digest == nil || reference.digest == digest
        else { return nil }
        let type = Self.mediaType(response)
        guard MediaType.isIndex(type) || MediaType.isManifest(type) else { return nil }
        return Descriptor(mediaType: type, digest: digest, size: length)
    }

    /// Fetches a manifest by tag or digest. One fetched by digest must have it.
    package func manifest(_ target: String) async throws -> FetchedManifest {
        let response = try await request(.GET, "manifests/" + target, headers: Self.accept)
        let limit = ImageDocument.maximumBytes
        let bytes: [UInt8]
        do { bytes = try await response.bytes(upTo: limit, of: "manifest " + target) } catch is NIOTooManyBytesError {
            throw RegistryError.invalidResponse("manifest is larger than 4 MiB")
        }
        let digest = Self.sha256(bytes)
        for claim in [
            try? OCISpec.Digest(target),
            response.headers.first(name: "Docker-Content-Digest").flatMap { try? OCISpec.Digest($0) },
        ] {
            if let claim, claim.algorithm == .sha256, claim != digest {
                throw RegistryError.invalidResponse("manifest verification failed for digest \(claim)")
            }
        }
        let descriptor = Descriptor(mediaType: Self.mediaType(response), digest: digest, size: Int64(bytes.count))
        return FetchedManifest(descriptor: descriptor, bytes: bytes)
    }

    static func sha256(_ bytes: [UInt8]) -> OCISpec.Digest {
        OCISpec.Digest(algorithm: .sha256, hash: Array(SHA256.hash(data: bytes)))
    }

    /// Throws if the bytes are not those of the digest.
    static func verify(_ bytes: [UInt8], _ digest: OCISpec.Digest) throws(RegistryError) {
        guard digest.algorithm == .sha256, sha256(bytes) == digest else {
            throw .invalidResponse("verification failed for digest \(digest)")
        }
    }

    private static let accept =
        MediaType.acceptedManifests.map { ("Accept", $0) }
        + [("Accept", MediaType.dockerSchema1Signed + ";q=0.1")]

    private static func mediaType(_ response: HTTPClientResponse) -> String {
        let header = response.headers.first(name: "Content-Type") ?? ""
        return String(header.prefix { $0 != ";" && $0 != " " })
    }
}
