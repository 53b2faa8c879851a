// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
import ContainerdAPI
import LinuxSystem
import OCISpec
import Registry
import SwiftProtobuf
import Synchronization

/// containerd's transfer service: moves images from where the source says to where the destination says. Registry to
/// image store (pull), image store to registry (push), stream to image store (import), image store to stream (export)
/// and image store to image store (tag).
package final class TransferService: Sendable {
    let images: ImageServices
    private let collector: ImageCollector
    let streams: StreamService
    private let namespaces: NamespaceService
    private let events: EventService
    private let registryTimeout: Int64
    private let registries = Mutex<[RegistryKey: RegistryClient]>([:])

    package init(
        images: ImageServices, collector: ImageCollector, streams: StreamService, namespaces: NamespaceService,
        events: EventService, registryTimeout: Int64
    ) {
        self.images = images
        self.collector = collector
        self.streams = streams
        self.namespaces = namespaces
        self.events = events
        self.registryTimeout = registryTimeout
    }

    package func register(on table: inout RPCHandlerTable) {
        table.unary("containerd.services.transfer.v1.Transfer", "Transfer", transfer)
    }

    private func transfer(
        _ request: Containerd_Services_Transfer_V1_TransferRequest, _ context: RPCContext
    ) async throws -> Google_Protobuf_Empty {
        defer { Heap.release() }
        let namespace = try context.namespace()
        let limits = TransferLimits(context)
        let progressID = request.options.progressStream
        let progress = try progressID.isEmpty ? nil : streams.stream(namespace, progressID)
        if let store = try request.source.unpacked(as: Containerd_Types_Transfer_ImageStore.self),
            let registry = try request.destination.unpacked(as: Containerd_Types_Transfer_OCIRegistry.self)
        {
            try await withProgress(on: progress) { try await self.push(namespace, store, registry, limits, $0) }
            return Google_Protobuf_Empty()
        }
        if let store = try request.source.unpacked(as: Containerd_Types_Transfer_ImageStore.self),
            let archive = try request.destination.unpacked(as: Containerd_Types_Transfer_ImageExportStream.self)
        {
            try await withProgress(on: progress) { try await self.export(namespace, store, archive, $0) }
            return Google_Protobuf_Empty()
        }
        if let source = try request.source.unpacked(as: Containerd_Types_Transfer_ImageImportStream.self),
            let destination = try request.destination.unpacked(as: Containerd_Types_Transfer_ImageExportStream.self)
        {
            try await echo(namespace, source, destination)
            return Google_Protobuf_Empty()
        }
        guard let store = try request.destination.unpacked(as: Containerd_Types_Transfer_ImageStore.self) else {
            throw unsupported(request)
        }
        try namespaces.ensure(namespace)
        try await withProgress(on: progress) { [self] report in
            let records: [ImageRecord]
            if let registry = try request.source.unpacked(as: Containerd_Types_Transfer_OCIRegistry.self) {
                records = [try await pull(namespace, registry, store, limits, report)]
            } else if let archive = try request.source.unpacked(as: Containerd_Types_Transfer_ImageImportStream.self) {
                records = try await load(namespace, archive, store, report)
            } else if let source = try request.source.unpacked(as: Containerd_Types_Transfer_ImageStore.self) {
                records = [try await tag(namespace, source, store)]
            } else {
                throw unsupported(request)
            }
            for record in records { publish(namespace, record) }
        }
        return Google_Protobuf_Empty()
    }

    private func unsupported(_ request: Containerd_Services_Transfer_V1_TransferRequest) -> ServiceError {
        ServiceError(
            .unimplemented,
            "transfer from \(request.source.typeURL) to \(request.destination.typeURL) is not implemented")
    }

    // MARK: Pull

    private func pull(
        _ namespace: String, _ source: Containerd_Types_Transfer_OCIRegistry,
        _ store: Containerd_Types_Transfer_ImageStore, _ limits: TransferLimits,
        _ report: @escaping ImageProgressHandler
    ) async throws -> ImageRecord {
        let reference = try reference(source)
        var request = PullRequest(
            namespace: namespace, reference: reference, name: store.name.isEmpty ? nil : store.name,
            platform: platform(store), labels: store.labels,
            credentials: try await credentials(namespace, source, reference), unpacks: !store.unpacks.isEmpty)
        request.limits = limits
        let client = registry(source.resolver, reference.domain)
        return try await ImagePuller(images, registry: client, collector: collector).pull(request, progress: report)
    }

    private func reference(
        _ registry: Containerd_Types_Transfer_OCIRegistry
    ) throws(ServiceError) -> ImageReference {
        do throws(ImageSpecError) { return try ImageReference(registry.reference) } catch {
            throw ServiceError(.invalidArgument, error.message)
        }
    }

    // MARK: Push

    private func push(
        _ namespace: String, _ store: Containerd_Types_Transfer_ImageStore,
        _ destination: Containerd_Types_Transfer_OCIRegistry, _ limits: TransferLimits,
        _ report: @escaping ImageProgressHandler
    ) async throws {
        let reference = try reference(destination)
        var request = PushRequest(
            namespace: namespace, name: store.name.isEmpty ? reference.normalized : store.name, reference: reference,
            platform: store.platforms.first.map { platform($0) },
            credentials: try await credentials(namespace, destination, reference))
        request.limits = limits
        let client = registry(destination.resolver, reference.domain)
        try await ImagePusher(images, registry: client).push(request, progress: report)
    }

    /// The client for what the caller wants of a registry. One client serves all that want the same, with its
    /// connections and tokens.
    private func registry(_ resolver: Containerd_Types_Transfer_RegistryResolver, _ domain: String) -> RegistryClient {
        var configuration = RegistryConfiguration()
        configuration.timeout = registryTimeout
        if resolver.defaultScheme == "http" { configuration.insecureRegistries = [domain] }
        if !resolver.hostDir.isEmpty { configuration.hostDirectories = [resolver.hostDir] }
        let key = RegistryKey(
            insecure: configuration.insecureRegistries, hostDirectories: configuration.hostDirectories)
        return registries.withLock { registries in
            if let known = registries[key] { return known }
            let client = RegistryClient(configuration)
            registries[key] = client
            return client
        }
    }

    private struct RegistryKey: Hashable {
        var insecure: [String]
        var hostDirectories: [String]
    }

    /// Asks the client over the stream that it offers for this.
    private func credentials(
        _ namespace: String, _ source: Containerd_Types_Transfer_OCIRegistry, _ reference: ImageReference
    ) async throws -> RegistryCredentials? {
        guard !source.resolver.authStream.isEmpty else { return nil }
        let stream = try streams.stream(namespace, source.resolver.authStream)
        defer { stream.close() }
        try await stream.send(
            try Google_Protobuf_Any(
                packing: Containerd_Types_Transfer_AuthRequest.with {
                    $0.host = reference.domain
                    $0.reference = source.reference
                }))
        guard let answer = try await stream.next(Containerd_Types_Transfer_AuthResponse.self) else { return nil }
        switch answer.authType {
        case .credentials: return RegistryCredentials(username: answer.username, password: answer.secret)
        case .refresh:
            return RegistryCredentials(username: answer.username, password: "", identityToken: answer.secret)
        case .header: throw ServiceError(.unimplemented, "credentials as a ready header are not implemented")
        default: return nil
        }
    }

    func platform(_ store: Containerd_Types_Transfer_ImageStore) -> Platform {
        let wanted = store.unpacks.first.flatMap { $0.hasPlatform ? $0.platform : nil } ?? store.platforms.first
        return wanted.map { platform($0) } ?? .host
    }

    /// This machine's if none is named.
    func platform(_ message: Containerd_Types_Platform) -> Platform {
        guard !message.architecture.isEmpty else { return .host }
        return Platform(os: message.os, architecture: message.architecture, variant: message.variant)
    }

    private func publish(_ namespace: String, _ record: ImageRecord) {
        if record.createdAt == record.updatedAt {
            events.publish(
                namespace, topic: "/images/create",
                Containerd_Services_Images_V1_ImageCreate.with { ($0.name, $0.labels) = (record.name, record.labels) })
        } else {
            events.publish(
                namespace, topic: "/images/update",
                Containerd_Services_Images_V1_ImageUpdate.with { ($0.name, $0.labels) = (record.name, record.labels) })
        }
    }
}
