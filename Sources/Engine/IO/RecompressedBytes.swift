// SPDX-License-Identifier: Apache-2.0
import Archive
import Tar

/// An archive that is to be a layer: one in bzip2 or xz, for which layers have no media type, comes out in gzip; any other
/// as it is.
struct RecompressedBytes<Base: AsyncSequence>: AsyncSequence where Base.Element == [UInt8], Base.Failure == any Error {
    typealias Element = [UInt8]
    typealias Failure = any Error

    let base: Base

    struct AsyncIterator: AsyncIteratorProtocol {
        var base: Base.AsyncIterator
        /// What was read and not handed on, from `start`.
        var piece: [UInt8] = []
        var start = 0
        var isLast = false
        var hasBegun = false
        var recompression: Recompression?

        mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            if !hasBegun { try await begin(actor) }
            guard let recompression else { return try await handOn(actor) }
            while !recompression.isFinished {
                let read = try recompression.step(piece[start...], isLast: isLast)
                start += read
                if let made = recompression.takeOutput() { return made }
                if start == piece.count, !isLast { try await refill(actor) }
                // A small piece of xz can be a long stream: others get their turn, and a cancelled import ends.
                await Task.yield()
                try Task.checkCancellation()
            }
            return nil
        }

        private mutating func begin(_ actor: isolated (any Actor)?) async throws {
            hasBegun = true
            while piece.count < ArchiveCompression.magicBytes, let more = try await base.next(isolation: actor) {
                piece += more
            }
            let magic = Array(piece.prefix(ArchiveCompression.magicBytes))
            do throws(ArchiveError) {
                recompression = try ArchiveCompression(magic: magic).map(Recompression.init)
            } catch { throw EngineError.invalidArgument(error.message) }
        }

        private mutating func handOn(_ actor: isolated (any Actor)?) async throws -> [UInt8]? {
            if piece.isEmpty { return try await base.next(isolation: actor) }
            defer { piece = [] }
            return piece
        }

        private mutating func refill(_ actor: isolated (any Actor)?) async throws {
            start = 0
            piece = try await base.next(isolation: actor) ?? []
            // Only the end is empty for good; an empty piece before it would mean nothing.
            isLast = piece.isEmpty
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(base: base.makeAsyncIterator()) }
}

/// A stream on its way from bzip2 or xz to gzip.
final class Recompression {
    /// Uncompressed bytes in one step.
    private static let stepBytes = 1 << 18

    private let decoder: any StreamDecoder
    private let collected: Collected
    private let sink: any ByteSink
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: stepBytes, alignment: 16)
    private(set) var isEnded = false

    private final class Collected {
        var bytes: [UInt8] = []
    }

    init(_ compression: ArchiveCompression) throws(ArchiveError) {
        decoder = try compression.decoder()
        let collected = Collected()
        self.collected = collected
        do {
            sink = try compressing(.gzip, into: FunctionSink { collected.bytes += $0 })
        } catch { throw ArchiveError("gzip: \(error)") }
    }

    deinit { buffer.deallocate() }

    /// Nothing more will come out.
    var isFinished: Bool { isEnded && collected.bytes.isEmpty }

    /// Decompresses some of `input`; returns how much of it.
    func step(_ input: ArraySlice<UInt8>, isLast: Bool) throws -> Int {
        if isEnded { return 0 }
        let step: (read: Int, written: Int)
        do {
            step = try input.withUnsafeBytes { try decoder.decode($0, isLast: isLast, into: buffer) }
        } catch let error as ArchiveError { throw EngineError.invalidArgument(error.message) }
        if step.written > 0 { try sink.write(UnsafeRawBufferPointer(rebasing: buffer[..<step.written])) }
        if isLast, step.read == input.count, step.written == 0 {
            try sink.finish()
            isEnded = true
        }
        return step.read
    }

    /// What was made since the last call; nil if there is nothing.
    func takeOutput() -> [UInt8]? {
        if collected.bytes.isEmpty { return nil }
        defer { collected.bytes = [] }
        return collected.bytes
    }
}
