// SPDX-License-Identifier: Apache-2.0
import AsyncTTRPC
import ContainerdAPI
import FoundationEssentials
import LinuxSystem
import SwiftProtobuf

/// One side stream of a transfer (containerd.services.streaming.v1): messages of any type, both ways, under an id that
/// the transfer refers to.
struct TransferStream: Sendable {
    let id: String
    private let stream: TTRPCBidirectionalStream<Google_Protobuf_Any, Google_Protobuf_Any>

    /// Bytes of one Data message; a frame holds at most 4 MiB.
    private static let pieceSize = 128 << 10

    init(id: String, _ stream: TTRPCBidirectionalStream<Google_Protobuf_Any, Google_Protobuf_Any>) {
        self.id = id
        self.stream = stream
    }

    func cancel() { stream.cancel() }

    /// Calls `handle` for every message of the type until the supervisor ends the stream; others are skipped.
    func forEach<M: Message>(_ type: M.Type, _ handle: (M) async throws -> Void) async throws {
        for try await any in stream.messages {
            if let message: M = try any.unpacked() { try await handle(message) }
        }
    }

    /// Answers every question for credentials with the same ones.
    func answer(with credentials: RegistryCredentials) async throws {
        try await forEach(Containerd_Types_Transfer_AuthRequest.self) { _ in
            let answer = Containerd_Types_Transfer_AuthResponse.with {
                $0.authType = credentials.isIdentityToken ? .refresh : .credentials
                ($0.username, $0.secret) = (credentials.username, credentials.secret)
            }
            try await stream.send(.init(packing: answer))
        }
    }

    /// Sends the bytes as the other side asks for them (WindowUpdate), then ends our direction. Small pieces go
    /// together: what a message costs is the way from thread to thread, not its length.
    func send(_ body: some AsyncSequence<[UInt8], any Error>) async throws {
        var updates = stream.messages.makeAsyncIterator()
        var window = 0
        var collected: [UInt8] = []
        for try await bytes in body {
            collected += bytes
            guard collected.count >= Self.pieceSize else { continue }
            guard try await send(collected, &updates, &window) else { return }
            collected.removeAll(keepingCapacity: true)
        }
        guard try await send(collected, &updates, &window) else { return }
        stream.closeSend()
    }

    /// False if the reader has seen enough.
    private func send(
        _ bytes: [UInt8], _ updates: inout TTRPCMessages<Google_Protobuf_Any>.AsyncIterator, _ window: inout Int
    ) async throws -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            while window <= 0 {
                guard let any = try await updates.next() else { return false }
                let update: Containerd_Types_Transfer_WindowUpdate? = try any.unpacked()
                window += Int(update?.update ?? 0)
            }
            let piece = rest.prefix(min(window, Self.pieceSize))
            rest = rest.dropFirst(piece.count)
            window -= piece.count
            try await stream.send(encoded: Containerd_Types_Transfer_Data.packed(piece))
        }
        return true
    }
}

extension SupervisorConnection {
    /// Opens a side stream and waits until the supervisor knows it.
    nonisolated func openStream(_ purpose: String) async throws -> TransferStream {
        let id = "\(purpose)-\(monotonicNanoseconds())-\(UInt32.random(in: 0 ... .max))"
        let stream = try await bidirectionalStream(
            "containerd.services.streaming.v1.Streaming", "Stream", sending: Google_Protobuf_Any.self,
            returning: Google_Protobuf_Any.self)
        try await stream.send(.init(packing: Containerd_Services_Streaming_V1_StreamInit.with { $0.id = id }))
        var answers = stream.messages.makeAsyncIterator()
        guard try await answers.next() != nil else {
            throw EngineError(.unavailable, "the supervisor closed a transfer stream")
        }
        return TransferStream(id: id, stream)
    }
}
