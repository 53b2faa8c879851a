// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
package import OCISpec

/// Where a blob's bytes go. Calls come one after the other.
package protocol BlobSink: Sendable {
    /// How many bytes there are already, from earlier tries too.
    func offset() async throws -> Int64
    func write(_ bytes: [UInt8]) async throws
    /// Forget everything: the registry starts from the beginning.
    func restart() async throws
    /// The download broke off, and goes on in so many seconds; told each second.
    func waits(seconds: Int)
}

extension RegistrySession {
    /// Downloads a blob into `sink`, going on from where it stands; an interrupted download is taken up again,
    /// `attempts` times in all, with growing pauses. Size is checked here, the digest is for the sink's owner to verify.
    package func fetchBlob(_ descriptor: Descriptor, into sink: some BlobSink) async throws {
        var policy = RetryPolicy(attempts: attempts)
        while true {
            let start = try await sink.offset()
            do { return try await fetchOnce(descriptor, sink) } catch {
                try Task.checkCancellation()
                // A connection that brings something each time is only a bad one.
                if try await sink.offset() > start + Self.notableBytes { policy.reset() }
                guard let pause = policy.pause(after: error) else { throw error }
                try await Self.wait(pause, sink)
            }
        }
    }

    /// Short pauses pass in silence.
    private static func wait(_ pause: Duration, _ sink: some BlobSink) async throws {
        var left = pause
        while left >= .seconds(1) {
            sink.waits(seconds: Int(left.components.seconds))
            try await Task.sleep(for: .seconds(1))
            left -= .seconds(1)
        }
        if left > .zero { try await Task.sleep(for: left) }
    }

    private static let notableBytes: Int64 = 4 << 20

    private func fetchOnce(_ descriptor: Descriptor, _ sink: some BlobSink) async throws {
        var offset = try await sink.offset()
        if offset > descriptor.size {
            try await sink.restart()
            offset = 0
        }
        guard offset < descriptor.size else { return }
        let response = try await blobResponse(descriptor, from: offset)
        if offset > 0, !Self.continues(response, at: offset) {
            try await sink.restart()
            offset = 0
        }
        try await copy(response, descriptor, from: offset, sink)
    }

    private func blobResponse(_ blob: Descriptor, from offset: Int64) async throws -> HTTPClientResponse {
        let range = offset > 0 ? [("Range", "bytes=\(offset)-")] : []
        if MediaType.isForeign(blob.mediaType), !blob.urls.isEmpty { return try await foreign(blob, headers: range) }
        let path = "blobs/" + blob.digest.string
        do { return try await requestOnce(.GET, path, headers: range) } catch let error
            as RegistryError
        {
            guard case .refused(416, _, _, _) = error, offset > 0 else { throw error }
            return try await requestOnce(.GET, path)
        }
    }

    /// A layer that no registry stores, from the first of its URLs that has it. Nothing of the registry's goes there, and
    /// only a registry without TLS may send us to a place without.
    private func foreign(_ blob: Descriptor, headers: [(String, String)]) async throws -> HTTPClientResponse {
        var failure: any Error = RegistryError.invalidResponse("foreign layer \(blob.digest) has no usable URL")
        let allowsPlain = await authorizer.answering?.scheme == "http"
        for url in blob.urls {
            guard let place = RemoteURL(url), place.scheme == "https" || allowsPlain else { continue }
            do {
                let response = try await transport.send(.GET, url, headers: headers, security: EndpointSecurity())
                return try await checked(response)
            } catch {
                try Task.checkCancellation()
                failure = error
            }
        }
        throw failure
    }

    /// Whether the answer really begins at `offset`, whatever was asked for.
    private static func continues(_ response: HTTPClientResponse, at offset: Int64) -> Bool {
        response.status == .partialContent
            && response.headers.first(name: "Content-Range")?.hasPrefix("bytes \(offset)-") ?? false
    }

    /// Copies in pieces: each write is a hop to another thread.
    private func copy(
        _ response: HTTPClientResponse, _ descriptor: Descriptor, from start: Int64, _ sink: some BlobSink
    ) async throws {
        var piece: [UInt8] = []
        piece.reserveCapacity(Self.pieceBytes + Self.chunkBytes)
        var received = start
        var chunks = response.body.makeAsyncIterator()
        while received <= descriptor.size {
            let chunk: ByteBuffer?
            do { chunk = try await chunks.next() } catch {
                try Task.checkCancellation()
                if !piece.isEmpty { try await sink.write(piece) }
                throw Self.describe(error, descriptor.digest)
            }
            guard let chunk else { break }
            received += Int64(chunk.readableBytes)
            piece.append(contentsOf: chunk.readableBytesView)
            if piece.count >= Self.pieceBytes, received <= descriptor.size {
                try await sink.write(piece)
                piece.removeAll(keepingCapacity: true)
            }
        }
        guard received <= descriptor.size else {
            throw RegistryError.invalidResponse("blob \(descriptor.digest) is larger than its \(descriptor.size) bytes")
        }
        if !piece.isEmpty { try await sink.write(piece) }
        guard received < descriptor.size else { return }
        // A server that sent all that it announced has no more, however often it is asked.
        if Self.announced(response) == received - start {
            try await sink.restart()
            throw RegistryError.invalidResponse(
                "blob \(descriptor.digest) is shorter than its \(descriptor.size) bytes")
        }
        throw Self.describe(nil, descriptor.digest)
    }

    private static func announced(_ response: HTTPClientResponse) -> Int64? {
        response.headers.first(name: "Content-Length").flatMap { Int64($0) }
    }

    private static let pieceBytes = 256 << 10

    /// What the HTTP client hands over at once is rarely more.
    private static let chunkBytes = 64 << 10

    private static func describe(_ error: (any Error)?, _ digest: Digest) -> RegistryError {
        .unreachable(operation: "download blob \(digest)", reason: error.map { "\($0)" } ?? "unexpected EOF")
    }
}
