// SPDX-License-Identifier: Apache-2.0
import AsyncTTRPC
package import ContainerdAPI
import SwiftProtobuf
import TTRPC

private let service = "containerd.services.images.v1.Images"
private let content = "containerd.services.content.v1.Content"

/// Image names (full references) and the blobs behind them.
extension SupervisorConnection {
    package func images() async throws -> [ImageMessage] {
        let answer: Containerd_Services_Images_V1_ListImagesResponse = try await call(
            service, "List", Containerd_Services_Images_V1_ListImagesRequest(), isIdempotent: true)
        return answer.images
    }

    package func image(_ name: String) async throws -> ImageMessage {
        let request = Containerd_Services_Images_V1_GetImageRequest.with { $0.name = name }
        let answer: Containerd_Services_Images_V1_GetImageResponse = try await call(
            service, "Get", request, isIdempotent: true)
        return answer.image
    }

    /// Creates the name, or makes it point to another target.
    package func setImage(_ image: ImageMessage) async throws {
        do {
            let request = Containerd_Services_Images_V1_CreateImageRequest.with { $0.image = image }
            let _: Containerd_Services_Images_V1_CreateImageResponse = try await call(service, "Create", request)
        } catch let error as EngineError where error.kind == .alreadyExists {
            let request = Containerd_Services_Images_V1_UpdateImageRequest.with { $0.image = image }
            let _: Containerd_Services_Images_V1_UpdateImageResponse = try await call(service, "Update", request)
        }
    }

    /// - Parameter sync: wait until what nothing else refers to has been collected.
    package func deleteImage(_ name: String, sync: Bool) async throws {
        let request = Containerd_Services_Images_V1_DeleteImageRequest.with { ($0.name, $0.sync) = (name, sync) }
        let _: Google_Protobuf_Empty = try await call(service, "Delete", request)
    }

    package func deleteContent(_ digest: String) async throws {
        let request = Containerd_Services_Content_V1_DeleteContentRequest.with { $0.digest = digest }
        let _: Google_Protobuf_Empty = try await call(content, "Delete", request)
    }

    package func contentInfo(_ digest: String) async throws -> Containerd_Services_Content_V1_Info {
        let request = Containerd_Services_Content_V1_InfoRequest.with { $0.digest = digest }
        let answer: Containerd_Services_Content_V1_InfoResponse = try await call(
            content, "Info", request, isIdempotent: true)
        return answer.info
    }

    /// A whole blob of at most `limit` bytes: manifests and configurations.
    package nonisolated func readContent(_ digest: String, limit: Int = 8 << 20) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            for try await piece in try await contentPieces(digest) {
                bytes.append(contentsOf: piece.data)
                if bytes.count > limit { throw EngineError.internal("blob \(digest) is larger than \(limit) bytes") }
            }
        } catch {
            throw EngineError(error)
        }
        return bytes
    }

    /// Passes a blob of `size` bytes on, a MiB at a time while the next one is on its way: a stream is not slowed down by
    /// its reader, so a whole blob could fill our memory.
    package nonisolated func streamContent(
        _ digest: String, size: Int64, to write: @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        guard size > 0 else { return }
        let step: Int64 = 1 << 20
        do {
            var ahead = try await contentPieces(digest, count: step)
            for start in stride(from: 0, to: size, by: Int(step)) {
                let pieces = ahead
                if start + step < size { ahead = try await contentPieces(digest, from: start + step, count: step) }
                var left = min(step, size - start)
                for try await message in pieces.encoded {
                    let data = BytesField.content(of: 2, in: message[...]) ?? []  // ReadContentResponse.data
                    left -= Int64(data.count)
                    try await write(Array(data))
                }
                guard left == 0 else { throw EngineError.internal("blob \(digest) does not have its \(size) bytes") }
            }
        } catch let failure as RPCStatus {
            throw EngineError(failure)
        }
    }

    /// - Parameter count: 0 is everything.
    private nonisolated func contentPieces(
        _ digest: String, from offset: Int64 = 0, count: Int64 = 0
    ) async throws -> TTRPCMessages<Containerd_Services_Content_V1_ReadContentResponse> {
        let request = Containerd_Services_Content_V1_ReadContentRequest.with {
            ($0.digest, $0.offset, $0.size) = (digest, offset, count)
        }
        return try await serverStream(content, "Read", request)
    }
}
