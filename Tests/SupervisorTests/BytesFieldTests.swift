// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import FoundationEssentials
import SwiftProtobuf
import Testing

@Suite("Bytes field of a message")
struct BytesFieldTests {
    private typealias Piece = Containerd_Types_Transfer_Data

    @Test("a packed piece is what any other encoder makes", arguments: [0, 1, 127, 128, 70_000])
    func packed(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let any = try Google_Protobuf_Any(serializedBytes: Piece.packed(bytes[...]))
        #expect(try any.unpacked(as: Piece.self)?.data == Data(bytes))
    }

    @Test(
        "what any other encoder makes is unpacked", arguments: ["", "type.googleapis.com/"], [0, 1, 127, 128, 70_000])
    func unpacked(prefix: String, count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        var any = try Google_Protobuf_Any(packing: Piece.with { $0.data = Data(bytes) })
        any.typeURL = prefix + any.typeURL
        #expect(Piece.unpacked(try any.serializedBytes()).map { Array($0) } == bytes)
    }

    @Test("another message is none")
    func other() throws {
        let update = Containerd_Types_Transfer_WindowUpdate.with { $0.update = 5 }
        #expect(Piece.unpacked(try Google_Protobuf_Any(packing: update).serializedBytes()) == nil)
    }

    @Test("numbers and unknown fields are passed over")
    func unknown() {
        #expect(BytesField.content(of: 2, in: [0x08, 0x96, 0x01, 0x12, 2, 7, 8, 0x1d, 1, 2, 3, 4]) == [7, 8])
        #expect(BytesField.content(of: 2, in: [0x12, 1, 7, 0x12, 1, 9]) == [9], "the last one counts")
    }

    @Test(
        "a malformed message has none",
        arguments: [
            [0x12], [0x12, 5, 1], [0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], [0x80], [0x0b],
            [0x09, 1], [0x0d, 1],
        ] as [[UInt8]])
    func malformed(bytes: [UInt8]) {
        #expect(BytesField.content(of: 2, in: bytes[...]) == nil)
    }
}
