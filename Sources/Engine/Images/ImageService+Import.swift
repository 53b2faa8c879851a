// SPDX-License-Identifier: Apache-2.0
import Archive
import ContainerdAPI
import DockerAPI
import JSON
import LinuxSystem
package import OCISpec
import SwiftProtobuf

/// What `docker import` asks for, but for the archive.
package struct ImageImportRequest: Sendable {
    /// The name of the new image, if any.
    package var reference: ImageReference?
    /// The comment in its history; empty for where it came from.
    package var message = ""
    package var changes: ImageChanges
    package var platform: Platform

    package init(reference: ImageReference?, changes: ImageChanges, platform: Platform?) {
        self.reference = reference
        self.changes = changes
        self.platform = platform ?? .host
    }
}

extension ImageService {
    /// Makes an image with one layer of a tar archive of a root file system, plain or compressed with gzip, zstd, bzip2
    /// or xz.
    package func importArchive(
        _ request: ImageImportRequest, from body: some AsyncSequence<[UInt8], any Error> & Sendable
    ) -> ProgressLines {
        lines { [self] emit in
            emit(.status(try await importArchive(request, body, source: "-"), id: nil))
        }
    }

    /// The same with an archive from a web server.
    package func importArchive(_ request: ImageImportRequest, url: String) -> ProgressLines {
        lines { [self] emit in
            let url = url.contains("://") ? url : "http://" + url
            let remote = try await RemoteFile.open(url)
            emit(.status("Downloading from \(url)", id: nil))
            let progress = DownloadProgress(total: remote.size)
            let body = RemoteBytes(body: remote.body) { count, isEnd in
                if let line = progress.line(at: count, isEnd: isEnd, now: monotonicNanoseconds()) { emit(line) }
            }
            emit(.status(try await importArchive(request, body, source: url), id: nil))
        }
    }

    /// Returns the new image's ID.
    private func importArchive(
        _ request: ImageImportRequest, _ body: some AsyncSequence<[UInt8], any Error>, source: String
    ) async throws -> String {
        var config = try ImageService.emptyConfig()
        try request.changes.apply(to: &config)
        return try await supervisor.holdingLease { try await store(request, config, body, source: source) }
    }

    private func store(
        _ request: ImageImportRequest, _ config: ContainerConfig, _ body: some AsyncSequence<[UInt8], any Error>,
        source: String
    ) async throws -> String {
        let layer = try await unpack(try await storeLayer(body), on: "")
        let now = Timestamp.now.rfc3339()
        let comment = request.message.isEmpty ? "Imported from " + source : request.message
        var document: JSONValue = ["created": .string(now), "architecture": .string(request.platform.architecture)]
        if !request.platform.variant.isEmpty { document.set("variant", .string(request.platform.variant)) }
        document.set("os", .string(request.platform.os))
        document.set("config", Self.imageConfig(config))
        document.set("history", [["created": .string(now), "comment": .string(comment)]])
        let image = NewImage(
            document: document, layers: [layer.descriptor], diffIDs: [layer.diffID], chainID: layer.chainID)
        let details = try await store(image, name: request.reference)
        if let reference = request.reference { publish("tag", details, name: reference.familiar) }
        publish("import", details)
        return details.id
    }

    private static func emptyConfig() throws(EngineError) -> ContainerConfig {
        do throws(FieldError) { return try ContainerConfig(json: .object([])) } catch { throw .internal(error.message) }
    }

    /// The archive becomes the layer's blob, as it is unless it is in bzip2 or xz; the first bytes tell how it is
    /// compressed.
    private func storeLayer(_ body: some AsyncSequence<[UInt8], any Error>) async throws -> DescriptorMessage {
        let start = FirstBytes(4)
        let bytes = ObservedBytes(base: RecompressedBytes(base: body), observer: start)
        var blob = try await supervisor.writeContent(bytes)
        // No bytes at all are an empty archive, whose end is two empty blocks.
        if start.bytes.isEmpty {
            let empty = [UInt8](repeating: 0, count: 1024)
            blob = (try await supervisor.writeContent(empty), Int64(empty.count))
        }
        let mediaType =
            switch Compression(magic: start.bytes) {
            case .none: MediaType.ociLayer
            case .gzip: MediaType.ociLayerGzip
            case .zstd: MediaType.ociLayerZstd
            }
        return .with { ($0.mediaType, $0.digest, $0.size) = (mediaType, blob.digest, blob.size) }
    }
}
