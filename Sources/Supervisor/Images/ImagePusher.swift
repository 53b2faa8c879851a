// SPDX-License-Identifier: Apache-2.0
import ContentStore
import LinuxSystem
package import OCISpec
package import Registry
import Threads

/// What to push where.
package struct PushRequest: Sendable {
    package var namespace: String
    /// The image record.
    package var name: String
    /// Its tag is what the registry will know the image by; without one, its digest.
    package var reference: ImageReference
    /// Only that image of an index; nil pushes everything that is here.
    package var platform: Platform?
    package var credentials: RegistryCredentials?
    package var limits = TransferLimits()

    package init(
        namespace: String, name: String, reference: ImageReference, platform: Platform? = nil,
        credentials: RegistryCredentials? = nil
    ) {
        self.namespace = namespace
        self.name = name
        self.reference = reference
        self.platform = platform
        self.credentials = credentials
    }
}

/// Pushes images: blobs (five at a time by default), then manifests, then the tag, so that a tag always stands for a whole image.
package struct ImagePusher: Sendable {
    private let services: ImageServices
    private let registry: RegistryClient

    static let parallelUploads = 5

    package init(_ services: ImageServices, registry: RegistryClient) {
        self.services = services
        self.registry = registry
    }

    /// Pushes one image. Cancelling the task stops the transfer.
    ///
    /// - Throws: `ServiceError` with docker's texts.
    package func push(_ request: PushRequest, progress: @escaping ImageProgressHandler) async throws {
        do {
            let services = services
            let plan = try await services.pool.run {
                let record = try services.images.get(request.namespace, request.name)
                return try PushPlanner(content: services.content, namespace: request.namespace)
                    .plan(record.target, platform: request.platform)
            }
            let sources = try await sources(of: plan.blobs, request)
            let session = try registry.pushSession(
                request.reference, credentials: request.credentials, mountSources: Set(sources.values.joined()))
            try await PushJob(
                services: services, session: session, request: request, plan: plan, sources: sources,
                progress: progress
            ).run()
        } catch let error as RegistryError {
            throw error.pushError
        } catch let error as ImageSpecError {
            throw ServiceError(.invalidArgument, error.message)
        }
    }

    /// Other repositories of the registry that should have each blob: two are tried at the most.
    private func sources(of blobs: [Descriptor], _ request: PushRequest) async throws -> [Digest: [String]] {
        let services = services
        return try await services.pool.run {
            let label = SourceLabel(request.reference)
            var sources: [Digest: [String]] = [:]
            for blob in blobs {
                let labels = try services.content.info(request.namespace, blob.digest).labels
                let others = label.others(in: labels).prefix(2)
                if !others.isEmpty { sources[blob.digest] = Array(others) }
            }
            return sources
        }
    }
}

/// One push.
private struct PushJob: Sendable {
    let services: ImageServices
    let session: RegistrySession
    let request: PushRequest
    let plan: PushPlan
    let sources: [Digest: [String]]
    let progress: ImageProgressHandler

    func run() async throws {
        progress(.step(.startedPush, request.reference.string))
        progress(.init(.pushing, request.name, descriptor: plan.target))
        report(.waiting, plan.target)
        for blob in plan.foreign { report(.skipped, blob) }
        for blob in plan.blobs { report(.waiting, blob) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            let limit = request.limits.parallel ?? ImagePusher.parallelUploads
            for (index, blob) in plan.blobs.enumerated() {
                if index >= limit { try await group.next() }
                group.addTask { try await services.uploads.run(limit) { try await push(blob) } }
            }
            while try await group.next() != nil {}
        }
        for manifest in plan.manifests where try await !session.hasManifest(manifest.digest) {
            try await put(manifest, as: manifest.digest.string)
        }
        try await put(plan.target, as: request.reference.tag ?? plan.target.digest.string)
        try await label()
        progress(.init(.pushed, request.name, descriptor: plan.target))
        report(.complete, plan.target, at: plan.target.size)
        progress(.step(.finishedPush, request.reference.string))
    }

    private func push(_ blob: Descriptor) async throws {
        let (services, namespace) = (services, request.namespace)
        let reader = try await services.pool.run { try services.content.reader(namespace, blob.digest) }
        let outcome = try await session.push(
            blob, from: StoreSource(reader: reader, pool: services.pool),
            mountableFrom: sources[blob.digest] ?? []
        ) { count in report(.uploading, blob, at: count) }
        switch outcome {
        case .existed: report(.exists, blob, at: blob.size)
        case .mounted(let repository): report(.mounted, blob, at: blob.size, detail: repository)
        case .uploaded: report(.complete, blob, at: blob.size)
        }
    }

    private func put(_ manifest: Descriptor, as target: String) async throws {
        let (services, namespace) = (services, request.namespace)
        let bytes = try await services.pool.run {
            try services.content.read(namespace, manifest.digest, limit: ImageDocument.maximumBytes)
        }
        try await session.putManifest(bytes, mediaType: manifest.mediaType, as: target)
    }

    /// Remembers that the repository has these blobs now.
    private func label() async throws {
        let (services, namespace, plan) = (services, request.namespace, plan)
        let source = SourceLabel(request.reference)
        try await services.pool.run {
            for blob in plan.blobs + plan.manifests + [plan.target] {
                try services.content.updateLabels(namespace, blob.digest) { source.add(to: &$0) }
            }
        }
    }

    private func report(
        _ event: ImageTransferProgress.Event, _ blob: Descriptor, at count: Int64 = 0, detail: String = ""
    ) {
        let parent = blob.digest == plan.target.digest ? request.name : plan.target.transferName
        var step = ImageTransferProgress.blob(event, blob, in: parent, progress: count)
        step.detail = detail
        progress(step)
    }
}

/// Reads an upload out of the content store.
private struct StoreSource: BlobSource {
    let reader: ContentReader
    let pool: BlockingPool

    func read(at offset: Int64, count: Int) async throws -> [UInt8] {
        let reader = reader
        return try await pool.run { try reader.read(at: offset, count: count) }
    }
}
