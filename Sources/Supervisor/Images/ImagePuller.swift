// SPDX-License-Identifier: Apache-2.0
import ContentStore
import LinuxSystem
package import Metadata
package import OCISpec
package import Registry
import Synchronization
import Threads

/// What to pull, and what to do with it.
package struct PullRequest: Sendable {
    package var namespace: String
    package var reference: ImageReference
    /// The name of the image record; the normalised reference if nil.
    package var name: String?
    package var platform: Platform
    package var labels: Labels
    package var credentials: RegistryCredentials?
    /// Unpacks the layers into snapshots.
    package var unpacks: Bool
    package var limits = TransferLimits()

    package init(
        namespace: String, reference: ImageReference, name: String? = nil, platform: Platform = .host,
        labels: Labels = [:], credentials: RegistryCredentials? = nil, unpacks: Bool = true
    ) {
        self.namespace = namespace
        self.reference = reference
        self.name = name
        self.platform = platform
        self.labels = labels
        self.credentials = credentials
        self.unpacks = unpacks
    }
}

/// Pulls images: manifests, then config and layers (three at a time by default), while each layer is unpacked as soon as it and
/// those below it are there. The record is made last, so that a record always stands for a whole image.
package struct ImagePuller: Sendable {
    private let services: ImageServices
    private let registry: RegistryClient
    private let collector: ImageCollector

    static let parallelFetches = 3

    package init(_ services: ImageServices, registry: RegistryClient, collector: ImageCollector) {
        self.services = services
        self.registry = registry
        self.collector = collector
    }

    /// Pulls one image. Cancelling the task stops the transfer; what has arrived stays for the next try, unless it is
    /// that which fills the disk.
    ///
    /// - Throws: `ServiceError` with docker's texts.
    package func pull(
        _ request: PullRequest, progress: @escaping ImageProgressHandler
    ) async throws -> ImageRecord {
        do {
            var session = try registry.session(request.reference, credentials: request.credentials)
            if let attempts = request.limits.attempts { session.attempts = attempts }
            let job = PullJob(services: services, session: session, request: request, progress: progress)
            return try await run(job)
        } catch let error as RegistryError {
            throw error.serviceError(for: request.reference)
        } catch let error as ImageSpecError {
            throw ServiceError(.invalidArgument, error.message)
        }
    }
}

extension ImagePuller {
    private func run(_ job: PullJob) async throws -> ImageRecord {
        let namespace = job.request.namespace
        do { return try await services.gate.transfer(namespace) { try await job.run() } } catch {
            if Self.isDiskFull(error), let target = job.target.value {
                // What this pull brought makes room again; a failure of that would only hide the reason.
                _ = try? await collector.collect(namespace, deleted: target)
            }
            throw error
        }
    }

    fileprivate static func isDiskFull(_ error: any Error) -> Bool {
        switch error {
        case let error as SysError: error.errno == .noSpace
        case let error as DatabaseError: error.isDiskFull
        default: false
        }
    }
}

/// What a pull's reference turned out to point to.
private final class PullTarget: Sendable {
    private let descriptor = Mutex<Descriptor?>(nil)

    var value: Descriptor? { descriptor.withLock { $0 } }

    func set(_ new: Descriptor) { descriptor.withLock { $0 = new } }
}

/// One pull.
private struct PullJob: Sendable {
    let services: ImageServices
    let session: RegistrySession
    let request: PullRequest
    let progress: ImageProgressHandler
    let target = PullTarget()

    private var namespace: String { request.namespace }

    func run() async throws -> ImageRecord {
        let name = request.name ?? request.reference.normalized
        let source = request.reference.string
        progress(.step(.resolving, source))
        let target = try await session.resolve()
        self.target.set(target)
        progress(.step(.pulling, source))
        progress(.init(.fetching, name, descriptor: target))
        let (manifest, descriptor) = try await selectManifest(target, of: name)
        try await fetchAndUnpack(manifest, parent: descriptor.transferName)
        try await label(target, descriptor, manifest)
        let record = ImageRecord(name: name, target: target, labels: request.labels)
        let (services, namespace) = (services, namespace)
        let stored = try await services.pool.run { try services.images.put(namespace, record) }
        progress(.init(.saved, name, descriptor: target))
        progress(.step(.pulled, source))
        return stored
    }

    // MARK: Manifests

    /// The manifest for the wanted platform; the index it was found in is stored too.
    private func selectManifest(_ target: Descriptor, of name: String) async throws -> (Manifest, Descriptor) {
        switch try await document(target, in: name) {
        case .manifest(let manifest): return (manifest, target)
        case .index(let index):
            guard let chosen = index.manifest(for: request.platform) else {
                throw ServiceError(
                    .notFound,
                    "no matching manifest for \(request.platform.dockerString) in the manifest list entries")
            }
            guard case .manifest(let manifest) = try await document(chosen, in: target.transferName) else {
                throw ServiceError(.invalidArgument, "manifest list entry \(chosen.digest) is no image manifest")
            }
            return (manifest, chosen)
        }
    }

    /// Reads a manifest or index from the store, or fetches it and stores it.
    private func document(_ descriptor: Descriptor, in parent: String) async throws -> ImageDocument {
        let (services, namespace) = (services, namespace)
        let limit = ImageDocument.maximumBytes
        let known = try await services.pool.run { () -> [UInt8]? in
            guard try services.content.adopt(namespace, descriptor.digest) else { return nil }
            return try services.content.read(namespace, descriptor.digest, limit: limit)
        }
        if let known {
            progress(.blob(.exists, descriptor, in: parent, progress: descriptor.size))
            return try ImageDocument(parsing: known, mediaType: descriptor.mediaType)
        }
        progress(.blob(.waiting, descriptor, in: parent))
        let fetched = try await session.manifest(descriptor.digest.string)
        let document = try ImageDocument(parsing: fetched.bytes, mediaType: fetched.descriptor.mediaType)
        try await services.pool.run { _ = try services.content.put(namespace, fetched.bytes) }
        progress(.blob(.complete, descriptor, in: parent, progress: descriptor.size))
        return document
    }

    // MARK: Blobs

    private func fetchAndUnpack(_ manifest: Manifest, parent: String) async throws {
        for layer in manifest.layers where !MediaType.isLayer(layer.mediaType) {
            throw ServiceError(.invalidArgument, "unsupported layer media type \"\(layer.mediaType)\"")
        }
        let (services, namespace) = (services, namespace)
        for layer in manifest.layers {
            let isHere = try await services.pool.run { try services.content.adopt(namespace, layer.digest) }
            progress(.blob(isHere ? .exists : .waiting, layer, in: parent, progress: isHere ? layer.size : 0))
        }
        try await fetch(manifest.config, parent: parent)
        let config = try await config(manifest)
        let arrivals = Arrivals(count: manifest.layers.count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await fetchLayers(manifest, parent: parent, arrivals) }
            if request.unpacks {
                let unpacker = ImageUnpacker(services: services, namespace: namespace, progress: progress)
                group.addTask { try await unpacker.unpack(manifest, config) { try await arrivals.wait(for: $0) } }
            }
            while try await group.next() != nil {}  // unlike waitForAll, this ends with the first failure
        }
    }

    private func config(_ manifest: Manifest) async throws -> ImageConfig {
        let (services, namespace) = (services, namespace)
        let bytes = try await services.pool.run {
            try services.content.read(namespace, manifest.config.digest, limit: ImageConfig.maximumBytes)
        }
        return try ImageConfig(parsing: bytes)
    }

    private func fetchLayers(_ manifest: Manifest, parent: String, _ arrivals: Arrivals) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let limit = request.limits.parallel ?? ImagePuller.parallelFetches
            for (index, layer) in manifest.layers.enumerated() {
                if index >= limit { try await group.next() }  // so that the lower layers come first
                group.addTask {
                    try await services.downloads.run(limit) { try await fetch(layer, parent: parent) }
                    await arrivals.arrived(index)
                }
            }
            while try await group.next() != nil {}  // unlike waitForAll, this ends with the first failure
        }
    }

    /// Brings one blob into the store, unless it is there; another pull's download of it is waited for.
    private func fetch(_ blob: Descriptor, parent: String) async throws {
        let (services, namespace) = (services, namespace)
        if try await services.pool.run({ try services.content.adopt(namespace, blob.digest) }) {
            progress(.blob(.exists, blob, in: parent, progress: blob.size))
            return
        }
        try await services.fetches.run(namespace + "/" + blob.digest.string) {
            try await download(blob, parent)
        }
        progress(.blob(.complete, blob, in: parent, progress: blob.size))
    }

    private func download(_ blob: Descriptor, _ parent: String) async throws {
        let (services, namespace) = (services, namespace)
        let ref = "layer-\(blob.digest)"
        let writer: ContentWriter
        do {
            writer = try await services.pool.run {
                try services.content.writer(namespace, ref: ref, total: blob.size, expected: blob.digest)
            }
        } catch let error as ServiceError where error.kind == .alreadyExists { return }
        let sink = StoreSink(writer: writer, pool: services.pool) { event, count, detail in
            var report = ImageTransferProgress.blob(event, blob, in: parent, progress: count)
            report.detail = detail
            progress(report)
        }
        do { try await session.fetchBlob(blob, into: sink) } catch {
            if ImagePuller.isDiskFull(error) { try? writer.restart() }  // others need the room at once
            throw error
        }
        try await services.pool.run {
            do { try writer.commit(size: blob.size, expected: blob.digest) } catch let error as ServiceError {
                if error.kind == .alreadyExists { return }
                guard error.kind == .failedPrecondition else { throw error }
                try? writer.restart()  // wrong bytes must not be resumed
                throw ServiceError(.internal, "filesystem layer verification failed for digest \(blob.digest)")
            }
        }
    }

    // MARK: Labels

    /// containerd's labels, by which its collector, and ours, find what an index and a manifest refer to.
    private func label(_ target: Descriptor, _ descriptor: Descriptor, _ manifest: Manifest) async throws {
        let (services, namespace) = (services, namespace)
        let source = SourceLabel(request.reference)
        try await services.pool.run {
            if target.digest != descriptor.digest {
                try services.content.updateLabels(namespace, target.digest) {
                    $0["containerd.io/gc.ref.content.m.0"] = descriptor.digest.string
                    source.add(to: &$0)
                }
            }
            try services.content.updateLabels(namespace, descriptor.digest) { labels in
                labels["containerd.io/gc.ref.content.config"] = manifest.config.digest.string
                for (index, layer) in manifest.layers.enumerated() {
                    labels["containerd.io/gc.ref.content.l.\(index)"] = layer.digest.string
                }
                source.add(to: &labels)
            }
            for blob in [manifest.config] + manifest.layers {
                try services.content.updateLabels(namespace, blob.digest) { source.add(to: &$0) }
            }
        }
    }
}

/// Writes a download into the content store.
private struct StoreSink: BlobSink {
    let writer: ContentWriter
    let pool: BlockingPool
    let report: @Sendable (ImageTransferProgress.Event, _ offset: Int64, _ detail: String) -> Void

    func offset() async throws -> Int64 { writer.status.offset }

    func write(_ bytes: [UInt8]) async throws {
        let writer = writer
        try await pool.run { try writer.write(bytes) }
        report(.downloading, writer.status.offset, "")
    }

    func waits(seconds: Int) { report(.retrying, writer.status.offset, String(seconds)) }

    func restart() async throws {
        let writer = writer
        try await pool.run { try writer.restart() }
    }
}
