// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// The body of a request, read from the connection as the handler asks for it: a client that sends faster than we
/// read is slowed down by its socket.
package struct RequestBody: Sendable, AsyncSequence {
    package typealias Element = [UInt8]

    private let source: @Sendable () async throws -> ArraySlice<UInt8>?
    /// Whether the head said that there is a body.
    package let isAnnounced: Bool
    /// How long it is by the head's Content-Length; 0 if that does not say.
    private let announcedLength: UInt64

    init(
        isAnnounced: Bool, announcedLength: UInt64 = 0,
        _ source: @escaping @Sendable () async throws -> ArraySlice<UInt8>?
    ) {
        self.source = source
        self.isAnnounced = isAnnounced
        self.announcedLength = announcedLength
    }

    /// A body that is all there already.
    package init(_ bytes: [UInt8], isAnnounced: Bool? = nil) {
        let once = OneShot(bytes)
        self.init(isAnnounced: isAnnounced ?? !bytes.isEmpty) { await once.take() }
    }

    /// The whole body. One that is longer than `limit` is an invalid argument, as with docker any body that it cannot
    /// decode; while other large ones leave no room for it, the server is unavailable.
    package func collect(upTo limit: Int) async throws -> [UInt8] {
        let refusal = ServiceError(.invalidArgument, "http: request body too large")
        if announcedLength > UInt64(limit) { throw refusal }  // before any of it is read
        var bytes: [UInt8] = []
        var taken = 0
        defer { BodyRoom.shared.giveBack(taken) }
        while let piece = try await source() {
            bytes.append(contentsOf: piece)
            if bytes.count > limit { throw refusal }
            let needed = bytes.count - BodyRoom.ownBytes - taken
            guard needed > 0 else { continue }
            guard BodyRoom.shared.take(needed) else {
                throw ServiceError(.unavailable, "too many large request bodies at the same time")
            }
            taken += needed
        }
        return bytes
    }

    package func makeAsyncIterator() -> Iterator { Iterator(source: source) }

    package struct Iterator: AsyncIteratorProtocol {
        let source: @Sendable () async throws -> ArraySlice<UInt8>?

        package mutating func next() async throws -> [UInt8]? {
            guard let piece = try await source() else { return nil }
            return Array(piece)
        }
    }
}

/// Bytes that are given out once.
private actor OneShot {
    private var bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func take() -> ArraySlice<UInt8>? {
        defer { bytes = [] }
        return bytes.isEmpty ? nil : bytes[...]
    }
}
