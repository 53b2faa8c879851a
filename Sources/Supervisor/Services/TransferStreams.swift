// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import FoundationEssentials
import LinuxSystem
import SwiftProtobuf

/// Runs a transfer whose progress goes to the client over `stream`, in order; returns when all of it is sent.
func withProgress(
    on stream: ClientStream?, _ body: @escaping @Sendable (@escaping ImageProgressHandler) async throws -> Void
) async throws {
    guard let stream else { return try await body { _ in } }
    let (reports, queue) = AsyncStream<ImageTransferProgress>.makeStream()
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            // A client that no longer listens does not stop the transfer.
            for await report in reports { try? await stream.send(try Google_Protobuf_Any(packing: report.message)) }
            stream.close()
        }
        group.addTask {
            defer { queue.finish() }
            try await body { queue.yield($0) }
        }
        try await group.waitForAll()
    }
}

extension ImageTransferProgress {
    fileprivate var message: Containerd_Types_Transfer_Progress {
        .with {
            $0.event = detail.isEmpty ? event.rawValue : event.rawValue + " " + detail
            $0.name = name
            $0.parents = parents
            $0.progress = progress
            $0.total = total
            if let descriptor { $0.desc = descriptor.message }
        }
    }
}

/// Sends bytes to a client as it asks for them.
actor DataSender {
    private let stream: ClientStream
    private var window = 0

    /// Bytes of one Data message, as many as containerd's clients expect.
    private static let pieceBytes = 32 << 10

    init(_ stream: ClientStream) { self.stream = stream }

    /// Returns when all is sent; throws if the client takes no more.
    func send(_ bytes: [UInt8]) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            while window <= 0 { try await waitForWindow() }
            let piece = rest.prefix(min(window, Self.pieceBytes))
            rest = rest.dropFirst(piece.count)
            window -= piece.count
            let message = Containerd_Types_Transfer_Data.with { $0.data = .init(piece) }
            try await stream.send(try Google_Protobuf_Any(packing: message))
        }
    }

    private func waitForWindow() async throws {
        guard let update = try await stream.next(Containerd_Types_Transfer_WindowUpdate.self) else {
            throw ServiceError(.cancelled, "the client closed the stream of the archive")
        }
        window += Int(max(update.update, 0))
    }
}

/// The bytes that a client sends over a stream. The client may send as much as it was granted; more is granted as what
/// came is used, so that a fast client does not fill our memory.
actor StreamedData {
    private let stream: ClientStream
    private var granted = 0

    private static let window = 1 << 20

    init(_ stream: ClientStream) { self.stream = stream }

    /// The next piece; nil when the client has sent all.
    func next() async throws -> [UInt8]? {
        if granted < Self.window / 2 { try await grant() }
        var messages = stream.received.makeAsyncIterator()
        while let message = try await messages.next(isolation: self) {
            guard let data = Containerd_Types_Transfer_Data.unpacked(message) else { continue }
            granted -= data.count
            return Array(data)
        }
        return nil
    }

    private func grant() async throws {
        let update = Containerd_Types_Transfer_WindowUpdate.with { $0.update = Int32(Self.window - granted) }
        granted = Self.window
        try await stream.send(try Google_Protobuf_Any(packing: update))
    }
}
