// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TTRPC

@Suite("ttrpc frames")
struct FrameTests {
    private static let frame = Frame(streamID: 3, type: .request, flags: [.remoteOpen], payload: [0xAA, 0xBB])
    private static let golden: [UInt8] = [
        0x00, 0x00, 0x00, 0x02,  // length of the payload
        0x00, 0x00, 0x00, 0x03,  // stream id
        0x01,  // request
        0x02,  // remote open
        0xAA, 0xBB,
    ]

    @Test("have a big-endian header of ten bytes")
    func header() {
        #expect(Self.frame.encoded() == Self.golden)
    }

    @Test("longer than 4 MiB are not made")
    func tooLong() {
        let payload = [UInt8](repeating: 0, count: Frame.maximumPayload + 1)
        #expect(Frame(streamID: 1, type: .data, payload: payload).encoded() == nil)
    }

    @Test("are found again, whatever the pieces they arrive in", arguments: 1...13)
    func pieces(size: Int) {
        let bytes = Self.golden + Self.golden + Self.golden
        var decoder = FrameDecoder()
        var frames: [FrameDecoder.Output] = []
        var start = 0
        while start < bytes.count {
            decoder.append(bytes[start..<min(start + size, bytes.count)])
            while let output = decoder.next() { frames.append(output) }
            start += size
        }
        #expect(frames == [.frame(Self.frame), .frame(Self.frame), .frame(Self.frame)])
    }

    @Test("that are too long are reported and skipped")
    func oversized() {
        var decoder = FrameDecoder()
        let length = UInt32(Frame.maximumPayload + 1)
        decoder.append((0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * UInt32($0))) } + [0, 0, 0, 9, 1, 0])
        #expect(decoder.next() == .oversized(streamID: 9, length: Int(length)))
        let chunk = [UInt8](repeating: 0x55, count: 65536)
        for _ in 0..<64 {
            decoder.append(chunk)
            #expect(decoder.next() == nil)
        }
        decoder.append([0x55] + Self.golden)
        #expect(decoder.next() == .frame(Self.frame))
    }

    @Test("of an unknown type are skipped")
    func unknownType() {
        var decoder = FrameDecoder()
        decoder.append([0, 0, 0, 1, 0, 0, 0, 1, 9, 0, 0xEE] + Self.golden)
        #expect(decoder.next() == .frame(Self.frame))
        #expect(decoder.next() == nil)
    }
}
