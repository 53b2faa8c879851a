// SPDX-License-Identifier: Apache-2.0
import AsyncTTRPC
package import ContainerdAPI
import FoundationEssentials
import LinuxSystem
import SwiftProtobuf
import TTRPC

/// containerd's transfer service: one call that moves an image, with side streams for progress, data and credentials.
///
///     engine ──── Streaming/Stream {id: P} ◀── Progress, Progress, … ──── supervisor
///            ──── Streaming/Stream {id: D} ──▶ Data  ◀── WindowUpdate ───
///            ──── Transfer/Transfer {source, destination, progress_stream: P} ── returns at the end
extension SupervisorConnection {
    package typealias ProgressHandler = @Sendable (TransferProgress) async throws -> Void

    /// Pulls `reference` (full) and unpacks it for `platform`; `progress` is called in order. The name gets `labels`.
    package nonisolated func pull(
        _ reference: String, platform: Containerd_Types_Platform, resolver: Containerd_Types_Transfer_RegistryResolver,
        credentials: RegistryCredentials, labels: [String: String], limits: TransferLimits,
        progress: @escaping ProgressHandler
    ) async throws {
        var source = Containerd_Types_Transfer_OCIRegistry.with {
            ($0.reference, $0.resolver) = (reference, resolver)
        }
        let destination = Containerd_Types_Transfer_ImageStore.with {
            $0.name = reference
            $0.labels = labels
            $0.platforms = [platform]
            $0.unpacks = [.overlay(platform)]
        }
        try await withCredentials(credentials, for: &source) { source in
            try await self.transfer(
                from: .init(packing: source), to: .init(packing: destination), limits, progress: progress)
        }
    }

    /// Pushes the image named `reference` (full, with its tag) under that name. Without a platform, all of an index
    /// that is here.
    package nonisolated func push(
        _ reference: String, platform: Containerd_Types_Platform?,
        resolver: Containerd_Types_Transfer_RegistryResolver, credentials: RegistryCredentials,
        limits: TransferLimits, progress: @escaping ProgressHandler
    ) async throws {
        let source = Containerd_Types_Transfer_ImageStore.with {
            $0.name = reference
            if let platform { $0.platforms = [platform] }
        }
        var destination = Containerd_Types_Transfer_OCIRegistry.with {
            ($0.reference, $0.resolver) = (reference, resolver)
        }
        try await withCredentials(credentials, for: &destination) { destination in
            try await self.transfer(
                from: .init(packing: source), to: .init(packing: destination), limits, progress: progress)
        }
    }

    /// Runs a transfer while answering the questions for credentials that the registry's side of it asks.
    private nonisolated func withCredentials(
        _ credentials: RegistryCredentials, for registry: inout Containerd_Types_Transfer_OCIRegistry,
        _ transfer: @escaping @Sendable (Containerd_Types_Transfer_OCIRegistry) async throws -> Void
    ) async throws {
        guard !credentials.isEmpty else { return try await transfer(registry) }
        let stream = try await openStream("auth")
        registry.resolver.authStream = stream.id
        let registry = registry
        defer { stream.cancel() }
        try await run(
            alongside: { try await stream.answer(with: credentials) }, main: { try await transfer(registry) })
    }

    /// Imports a tar archive of images that `body` gives piece by piece.
    package nonisolated func importImages(
        platforms: [Containerd_Types_Platform], unpacks unpacked: [Containerd_Types_Platform],
        body: some AsyncSequence<[UInt8], any Error> & Sendable,
        progress: @escaping ProgressHandler
    ) async throws {
        let data = try await openStream("import")
        defer { data.cancel() }
        let source = Containerd_Types_Transfer_ImageImportStream.with { $0.stream = data.id }
        let destination = Containerd_Types_Transfer_ImageStore.with {
            $0.platforms = platforms
            $0.unpacks = unpacked.map { .overlay($0) }
        }
        try await run(
            alongside: { try await data.send(body) },
            main: {
                try await self.transfer(
                    from: .init(packing: source), to: .init(packing: destination), progress: progress)
            })
    }

    /// The transfer itself, with its progress stream. Returns when it is done and all its progress was handled.
    private nonisolated func transfer(
        from source: Google_Protobuf_Any, to destination: Google_Protobuf_Any, _ limits: TransferLimits? = nil,
        progress: @escaping ProgressHandler
    ) async throws {
        let stream = try await openStream("progress")
        let request = Containerd_Services_Transfer_V1_TransferRequest.with {
            ($0.source, $0.destination) = (source, destination)
            $0.options.progressStream = stream.id
        }
        defer { stream.cancel() }
        try await withThrowingTaskGroup(of: TransferStep.self) { group in
            group.addTask {
                try await stream.forEach(TransferProgress.self, progress)
                return .progressEnded
            }
            group.addTask {
                let _: Google_Protobuf_Empty = try await self.call(
                    "containerd.services.transfer.v1.Transfer", "Transfer", request, hints: limits?.hints ?? [])
                return .transferred
            }
            var seen: [TransferStep] = []
            while let step = try await group.next() {
                seen.append(step)
                if seen.contains(.transferred), seen.count > 1 { break }
                if step == .transferred {
                    group.addTask {  // a supervisor that does not end the progress stream must not hold us up
                        _ = try? await Task.sleep(for: .milliseconds(500))
                        return .graceOver
                    }
                }
            }
            group.cancelAll()
        }
    }
}

extension TransferLimits {
    /// For our supervisor; others go by their own configuration.
    fileprivate var hints: [RPCMetadata] {
        [RPCMetadata("swrun-transfer-parallel", String(parallel))]
            + (attempts.map { [RPCMetadata("swrun-transfer-attempts", String($0))] } ?? [])
    }
}

private enum TransferStep: Sendable {
    case transferred, progressEnded, graceOver
}

/// Runs `main`, and `side` for as long as that takes. What `side` throws ends both.
private func run(
    alongside side: @escaping @Sendable () async throws -> Void, main: @escaping @Sendable () async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Bool.self) { group in
        group.addTask {
            try await side()
            return false
        }
        group.addTask {
            try await main()
            return true
        }
        while let isMain = try await group.next() {
            if isMain { break }
        }
        group.cancelAll()
    }
}

extension Containerd_Types_Transfer_UnpackConfiguration {
    fileprivate static func overlay(_ platform: Containerd_Types_Platform) -> Self {
        .with { ($0.platform, $0.snapshotter) = (platform, SupervisorConnection.snapshotter) }
    }
}
