// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import LinuxSystem
import OCISpec
import Threads

/// Transfers that no registry takes part in: archives, and a second name for an image.
extension TransferService {
    /// Imports the archive that the client sends.
    func load(
        _ namespace: String, _ source: Containerd_Types_Transfer_ImageImportStream,
        _ store: Containerd_Types_Transfer_ImageStore, _ report: @escaping ImageProgressHandler
    ) async throws -> [ImageRecord] {
        let stream = try streams.stream(namespace, source.stream)
        defer { stream.close() }
        var request = ImportRequest(
            namespace: namespace, unpacked: store.unpacks.map { platform($0.platform) },
            labels: store.labels)
        request.platforms = store.platforms.map { platform($0) }
        if !store.name.isEmpty { request.indexName = store.name }
        request.naming = store.extraReferences.map { reference in
            ImportNaming(
                name: reference.name, isPrefix: reference.isPrefix, takesOthers: reference.allowOverwrite,
                addsDigest: reference.addDigest, skipsDigestOfNamed: reference.skipNamedDigest)
        }
        let data = StreamedData(stream)
        return try await ImageImporter(images).load(
            request, from: AsyncThrowingStream { try await data.next() }, progress: report)
    }

    /// Sends images to the client as an archive.
    func export(
        _ namespace: String, _ store: Containerd_Types_Transfer_ImageStore,
        _ destination: Containerd_Types_Transfer_ImageExportStream, _ report: @escaping ImageProgressHandler
    ) async throws {
        let stream = try streams.stream(namespace, destination.stream)
        defer { stream.close() }
        var request = ExportRequest(
            namespace: namespace, names: try await names(namespace, store),
            hasDockerManifest: !destination.skipCompatibilityManifest)
        if !destination.allPlatforms {
            request.platforms = destination.platforms.isEmpty ? [.host] : destination.platforms.map { platform($0) }
        }
        let sender = DataSender(stream)
        try await ImageExporter(images).export(request, to: { try await sender.send($0) }, progress: report)
    }

    /// Sends an archive back to the client as it came, which proves both streams.
    func echo(
        _ namespace: String, _ source: Containerd_Types_Transfer_ImageImportStream,
        _ destination: Containerd_Types_Transfer_ImageExportStream
    ) async throws {
        let incoming = try streams.stream(namespace, source.stream)
        defer { incoming.close() }
        let outgoing = try streams.stream(namespace, destination.stream)
        defer { outgoing.close() }
        let data = StreamedData(incoming)
        let sender = DataSender(outgoing)
        while let piece = try await data.next() { try await sender.send(piece) }
    }

    /// The names of the images that a source means: its own, and its further references or all names with their prefix.
    private func names(_ namespace: String, _ store: Containerd_Types_Transfer_ImageStore) async throws -> [String] {
        var names = store.name.isEmpty ? [] : [store.name]
        let all = try await images.pool.run { [images] in try images.images.list(namespace).map(\.name) }
        for reference in store.extraReferences {
            names += reference.isPrefix ? all.filter { $0.hasPrefix(reference.name) } : [reference.name]
        }
        guard !names.isEmpty else { throw ServiceError(.invalidArgument, "no image is named for the export") }
        return names
    }

    /// Gives an image another name, which moves there if it exists.
    func tag(
        _ namespace: String, _ source: Containerd_Types_Transfer_ImageStore,
        _ destination: Containerd_Types_Transfer_ImageStore
    ) async throws -> ImageRecord {
        try await images.pool.run { [images] in
            let target = try images.images.get(namespace, source.name).target
            return try images.images.put(
                namespace, ImageRecord(name: destination.name, target: target, labels: destination.labels))
        }
    }
}
