// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Keeps the first bytes that it is shown.
final class FirstBytes: Sendable {
    private let count: Int
    private let kept = Mutex<[UInt8]>([])

    init(_ count: Int) { self.count = count }

    var bytes: [UInt8] { kept.withLock { $0 } }

    func see(_ piece: [UInt8]) { kept.withLock { $0 += piece.prefix(count - $0.count) } }
}

/// A sequence of bytes whose beginning is kept on the way.
struct ObservedBytes<Base: AsyncSequence>: AsyncSequence where Base.Element == [UInt8], Base.Failure == any Error {
    typealias Element = [UInt8]
    typealias Failure = any Error

    let base: Base
    let observer: FirstBytes

    struct AsyncIterator: AsyncIteratorProtocol {
        var base: Base.AsyncIterator
        let observer: FirstBytes

        mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            guard let piece = try await base.next(isolation: actor) else { return nil }
            observer.see(piece)
            return piece
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(base: base.makeAsyncIterator(), observer: observer)
    }
}
