// SPDX-License-Identifier: Apache-2.0
package import Tar

/// Decompresses a stream that comes in pieces, with memory that does not grow with the stream. Used by one thread at a
/// time.
package protocol StreamDecoder: AnyObject {
    /// Turns some of `input` into bytes in `output`, which is not empty.
    ///
    /// - Parameter isLast: nothing comes after `input`.
    /// - Returns: how many bytes of each were used. None of both means that more input is needed, and with `isLast` the
    ///   end of the stream.
    /// - Throws: `ArchiveError` if the data is damaged, ends too early or needs too much memory.
    func decode(
        _ input: UnsafeRawBufferPointer, isLast: Bool, into output: UnsafeMutableRawBufferPointer
    ) throws(ArchiveError) -> (read: Int, written: Int)
}

/// What a decoder makes of a source.
final class DecodedSource: ByteSource {
    private let input: InputBuffer
    private let decoder: any StreamDecoder

    init(_ input: InputBuffer, _ decoder: any StreamDecoder) {
        self.input = input
        self.decoder = decoder
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let window = try input.window()
            let step = try decoder.decode(UnsafeRawBufferPointer(window), isLast: window.isEmpty, into: buffer)
            input.consume(step.read)
            if step.written > 0 || window.isEmpty { return step.written }
        }
    }
}
