// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import NIOPosix

/// Where the bytes of an upload come from; may be asked for the same bytes again.
package protocol BlobSource: Sendable {
    /// The next bytes from `offset`, at most `count` and none only at the end.
    func read(at offset: Int64, count: Int) async throws -> [UInt8]
}

/// The body of a request. It can be sent more than once, since a registry may ask for authorization first.
struct RequestBody: Sendable {
    let make: @Sendable () -> HTTPClientRequest.Body
    let headers: [(String, String)]

    /// A small body.
    init(_ bytes: [UInt8], type: String) {
        make = { .bytes(ByteBuffer(bytes: bytes)) }
        headers = [("Content-Type", type)]
    }

    /// A part of a blob, read as the connection takes it: memory stays at one piece.
    ///
    /// - Parameter report: is told how far in the blob the reading has come.
    init(_ source: some BlobSource, _ range: Range<Int64>, report: @escaping @Sendable (Int64) -> Void) {
        make = {
            .stream(
                PieceSequence(source: source, range: range, report: report),
                length: .known(range.upperBound - range.lowerBound)
            )
        }
        headers = [("Content-Type", "application/octet-stream")]
    }
}

/// Part of a blob in pieces.
private struct PieceSequence<Source: BlobSource>: AsyncSequence, Sendable {
    let source: Source
    let range: Range<Int64>
    let report: @Sendable (Int64) -> Void

    struct Iterator: AsyncIteratorProtocol {
        /// Several of them are on their way in each upload, and there are several uploads.
        private static var pieceBytes: Int64 { 64 << 10 }

        let pieces: PieceSequence
        var offset: Int64

        mutating func next() async throws -> ByteBuffer? {
            guard offset < pieces.range.upperBound else { return nil }
            // The client hands a piece to its event loop and asks for the next one at once, however far the loop is
            // behind: we wait until the loops have done what they were given.
            for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() { try await loop.submit {}.get() }
            let wanted = Int(Swift.min(Self.pieceBytes, pieces.range.upperBound - offset))
            let bytes = try await pieces.source.read(at: offset, count: wanted)
            guard !bytes.isEmpty else { return nil }  // the client finds fewer bytes than announced, and says so
            offset += Int64(bytes.count)
            pieces.report(offset)
            return ByteBuffer(bytes: bytes)
        }
    }

    func makeAsyncIterator() -> Iterator { Iterator(pieces: self, offset: range.lowerBound) }
}
