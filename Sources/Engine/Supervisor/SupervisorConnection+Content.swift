// SPDX-License-Identifier: Apache-2.0
import AsyncTTRPC
package import ContainerdAPI
import FoundationEssentials
import LinuxSystem
import SwiftProtobuf
import TTRPC

private let content = "containerd.services.content.v1.Content"
private let diffs = "containerd.services.diff.v1.Diff"

private typealias WriteRequest = Containerd_Services_Content_V1_WriteContentRequest
private typealias WriteResponse = Containerd_Services_Content_V1_WriteContentResponse

/// Storing blobs, and layers: from what differs between snapshots, and into a snapshot.
extension SupervisorConnection {
    /// What one message carries: a frame holds at most 4 MiB, and each exists a few times on its way.
    private static var pieceSize: Int { 256 << 10 }

    /// Stores what `source` gives as a blob; one that is there already only gets the labels.
    package nonisolated func writeContent(
        _ source: some AsyncSequence<[UInt8], any Error>, labels: [String: String] = [:]
    ) async throws -> (digest: String, size: Int64) {
        let ref = "engine-\(monotonicNanoseconds())-\(UInt32.random(in: 0 ... .max))"
        do { return try await write(source, ref, labels) } catch {
            let request = Containerd_Services_Content_V1_AbortRequest.with { $0.ref = ref }
            let _: Google_Protobuf_Empty? = try? await call(content, "Abort", request)
            throw EngineError(error)
        }
    }

    /// Stores a small blob.
    package nonisolated func writeContent(_ bytes: [UInt8], labels: [String: String] = [:]) async throws -> String {
        let once = AsyncThrowingStream<[UInt8], any Error> {
            $0.yield(bytes)
            $0.finish()
        }
        return try await writeContent(once, labels: labels).digest
    }

    private nonisolated func write(
        _ source: some AsyncSequence<[UInt8], any Error>, _ ref: String, _ labels: [String: String]
    ) async throws -> (digest: String, size: Int64) {
        let stream = try await bidirectionalStream(
            content, "Write", sending: WriteRequest.self, returning: WriteResponse.self)
        defer { stream.cancel() }
        var answers = stream.messages.makeAsyncIterator()
        var state = WriteRequest.with { ($0.action, $0.ref) = (.write, ref) }
        var digest = ""
        for try await bytes in source {
            var rest = bytes[...]
            while !rest.isEmpty {
                state.data = Data(rest.prefix(Self.pieceSize))
                rest = rest.dropFirst(Self.pieceSize)
                try await stream.send(state)
                guard let answer = try await answers.next() else { throw Self.interrupted }
                state.offset += Int64(state.data.count)
                digest = answer.digest
            }
        }
        (state.action, state.data, state.total, state.labels) = (.commit, Data(), state.offset, labels)
        try await stream.send(state)
        do {
            guard let answer = try await answers.next() else { throw Self.interrupted }
            return (answer.digest, state.offset)
        } catch let failure as RPCStatus where failure.code == .alreadyExists {
            return (digest, state.offset)
        }
    }

    private static var interrupted: EngineError { EngineError(.unavailable, "the supervisor ended a transfer") }

    /// Makes a layer of what turns `lower` into `upper`; its diffID is the blob's label `containerd.io/uncompressed`.
    package func diff(
        from lower: [MountMessage], to upper: [MountMessage], labels: [String: String]
    ) async throws -> DescriptorMessage {
        let request = Containerd_Services_Diff_V1_DiffRequest.with {
            ($0.left, $0.right, $0.labels) = (lower, upper, labels)
        }
        let answer: Containerd_Services_Diff_V1_DiffResponse = try await call(diffs, "Diff", request)
        return answer.diff
    }

    /// Unpacks a layer into a writable snapshot; returns its diffID.
    package func apply(_ layer: DescriptorMessage, to mounts: [MountMessage]) async throws -> String {
        let request = Containerd_Services_Diff_V1_ApplyRequest.with { ($0.diff, $0.mounts) = (layer, mounts) }
        let answer: Containerd_Services_Diff_V1_ApplyResponse = try await call(diffs, "Apply", request)
        return answer.applied.digest
    }
}
