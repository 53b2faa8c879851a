// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
package import OCISpec

/// How a blob came into the repository.
package enum BlobPushOutcome: Sendable, Equatable {
    case existed
    /// The registry had it in another repository of its own.
    case mounted(from: String)
    case uploaded
}

extension RegistrySession {
    /// A blob or manifest that is in the repository already needs no upload.
    package func hasBlob(_ digest: Digest) async throws -> Bool { try await exists("blobs/" + digest.string) }

    /// Whether the manifest is there under its digest.
    package func hasManifest(_ digest: Digest) async throws -> Bool { try await exists("manifests/" + digest.string) }

    private func exists(_ path: String) async throws -> Bool {
        do {
            _ = try await request(.HEAD, path, headers: MediaType.acceptedManifests.map { ("Accept", $0) })
            return true
        } catch RegistryError.refused(404, _, _, _) { return false }
    }

    /// Brings one blob into the repository unless it is there: by a mount from another repository if the registry can,
    /// else by an upload, which is taken up again where it broke off (distribution-spec "Pushing Blobs").
    ///
    /// - Parameter sources: repositories of this registry that may have it.
    package func push(
        _ blob: Descriptor, from source: some BlobSource, mountableFrom sources: [String],
        report: @escaping @Sendable (Int64) -> Void
    ) async throws -> BlobPushOutcome {
        if try await hasBlob(blob.digest) { return .existed }
        for repository in sources where repository != reference.path {
            if try await mount(blob.digest, from: repository) { return .mounted(from: repository) }
        }
        let upload = BlobUpload(session: self, blob: blob, source: source, report: report)
        try await RetryPolicy.run { try await upload.run() }
        return .uploaded
    }

    /// Brings a blob into the repository that another one of the same registry has, without moving its bytes.
    ///
    /// - Returns: false if the registry wants an upload instead. That it has begun is cancelled by not going on:
    ///   registries throw away what lies idle.
    package func mount(_ digest: Digest, from repository: String) async throws -> Bool {
        let query = "?mount=" + RemoteURL.queryEncoded(digest.string) + "&from=" + RemoteURL.queryEncoded(repository)
        do {
            return try await request(.POST, "blobs/uploads/" + query).status == .created
        } catch let error as RegistryError {
            // A source that we may not read is no reason to fail: there is the upload.
            guard case .refused(let status, _, _, _) = error, (400..<405).contains(status) else { throw error }
            return false
        }
    }

    /// Stores a manifest or index as the very bytes that it is.
    ///
    /// - Parameter target: a tag, or the digest; nil computes that.
    /// - Returns: the digest.
    @discardableResult
    package func putManifest(_ bytes: [UInt8], mediaType: String, as target: String?) async throws -> Digest {
        let digest = Self.sha256(bytes)
        try await RetryPolicy.run {
            let path = "manifests/" + (target ?? digest.string)
            _ = try await requestOnce(.PUT, path, body: RequestBody(bytes, type: mediaType))
        }
        return digest
    }
}
