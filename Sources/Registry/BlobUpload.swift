// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import OCISpec

/// The upload of one blob, in one session of the registry.
///
///     small:  POST uploads/ ─▶ Location ─▶ PUT Location?digest=… (all bytes)
///     large:  POST uploads/ ─▶ Location ─▶ PATCH Location (Content-Range) … ─▶ PUT Location?digest=…
///                                            └ broken off, or 416: GET Location ─▶ Range tells where to go on
struct BlobUpload<Source: BlobSource>: Sendable {
    let session: RegistrySession
    let blob: Descriptor
    let source: Source
    let report: @Sendable (Int64) -> Void

    /// Up to this size a blob is sent with the request that ends the upload.
    static var monolithicBytes: Int64 { 1 << 20 }

    /// When a registry, or a proxy before it, says that a request is too large.
    static var smallChunkBytes: Int64 { 4 << 20 }

    /// Sends the whole blob. What breaks off is taken up again; this throws when that does not help, and a new upload
    /// may.
    func run() async throws {
        let response = try await session.requestOnce(.POST, "blobs/uploads/")
        guard let endpoint = await session.authorizer.answering else {
            throw RegistryError.invalidResponse("no endpoint for \(session.reference.domain)")
        }
        var place = try place(response, RemoteURL(endpoint.url(session.reference.path + "/blobs/uploads/")), endpoint)
        let minimum = response.headers.first(name: "OCI-Chunk-Min-Length").flatMap { Int64($0) } ?? 0
        let isSmall = blob.size <= min(Self.monolithicBytes, session.chunkBytes)
        if !isSmall { place = try await sendChunks(to: place, endpoint, minimum: minimum) }
        let body = RequestBody(source, (isSmall ? 0 : blob.size)..<blob.size, report: report)
        _ = try await session.authorized(.PUT, Self.finished(place, blob.digest), body.headers, body, endpoint)
    }

    // MARK: Chunks

    private func sendChunks(
        to start: RemoteURL, _ endpoint: RegistryEndpoint, minimum: Int64
    ) async throws -> RemoteURL {
        var (place, offset, policy) = (start, Int64(0), RetryPolicy())
        var limit = max(session.chunkBytes, minimum)
        let small = max(Self.smallChunkBytes, minimum)
        while offset < blob.size {
            let end = min(blob.size, offset + min(limit, blob.size - offset))
            do {
                place = try await sendChunk(offset..<end, to: place, endpoint)
                offset = end
                policy.reset()
            } catch {
                try Task.checkCancellation()
                if case .refused(413, _, _, _)? = error as? RegistryError, limit > small {
                    limit = small
                } else if case .refused(416, _, _, _)? = error as? RegistryError, policy.countFailure() {
                    // The registry has another idea of where we are: it is asked below.
                } else if let pause = policy.pause(after: error) {
                    // Whoever refuses a request for its size may close the connection before we read the answer.
                    if (error as? RegistryError)?.isUnreachable ?? false { limit = min(limit, small) }
                    try await Task.sleep(for: pause)
                } else {
                    throw error
                }
                (place, offset) = try await status(of: place, endpoint)
            }
        }
        return place
    }

    private func sendChunk(
        _ range: Range<Int64>, to place: RemoteURL, _ endpoint: RegistryEndpoint
    ) async throws -> RemoteURL {
        let body = RequestBody(source, range, report: report)
        let headers = body.headers + [("Content-Range", "\(range.lowerBound)-\(range.upperBound - 1)")]
        let response = try await session.authorized(.PATCH, place.string, headers, body, endpoint)
        return try self.place(response, place, endpoint)
    }

    /// Where the upload stands: the next place to send to, and how many bytes are there. A registry that gives up an
    /// upload which broke off (Docker's own does) makes us begin a new one.
    private func status(of place: RemoteURL, _ endpoint: RegistryEndpoint) async throws -> (RemoteURL, Int64) {
        let response: HTTPClientResponse
        do {
            response = try await RetryPolicy.run {
                try await session.authorized(.GET, place.string, [], nil, endpoint)
            }
        } catch RegistryError.refused(400, _, _, _), RegistryError.refused(404, _, _, _) {
            throw RegistryError.unreachable(
                operation: "upload blob \(blob.digest)", reason: "the registry dropped the upload")
        }
        let offset = ResponseHeader.received(response.headers.first(name: "Range") ?? "")
        guard let offset, offset <= blob.size else {
            throw RegistryError.invalidResponse("registry does not say how far the upload of \(blob.digest) has come")
        }
        return (response.headers.contains(name: "Location") ? try self.place(response, place, endpoint) : place, offset)
    }

    /// Where the registry wants the next request. Another host may be named, but never one without TLS by a registry
    /// with it; credentials stay with the registry (`RegistryTransport.send`).
    private func place(
        _ response: HTTPClientResponse, _ base: RemoteURL?, _ endpoint: RegistryEndpoint
    ) throws(RegistryError) -> RemoteURL {
        guard let location = response.headers.first(name: "Location"), let place = base?.redirected(to: location),
            place.scheme == "https" || endpoint.scheme == "http"
        else { throw .invalidResponse("registry names no valid place to upload \(blob.digest) to") }
        return place
    }

    static func finished(_ place: RemoteURL, _ digest: Digest) -> String {
        place.string + (place.rest.contains("?") ? "&" : "?") + "digest=" + RemoteURL.queryEncoded(digest.string)
    }
}
