// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TTRPC

@Suite("Protobuf")
struct ProtobufTests {
    @Test("fields are written as protoc writes them")
    func writes() {
        var writer = ProtobufWriter()
        writer.uint32(1, 150)
        writer.string(2, "hi")
        writer.int32(3, -1)
        writer.bool(4, true)
        writer.message(5) { _ in }
        writer.uint64(6, 0)
        writer.string(7, "")
        #expect(
            writer.bytes == [
                0x08, 0x96, 0x01,  // 1: 150
                0x12, 0x02, 0x68, 0x69,  // 2: "hi"
                0x18, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01,  // 3: -1
                0x20, 0x01,  // 4: true
                0x2A, 0x00,  // 5: {}
            ])
    }

    @Test("every wire type is read")
    func reads() throws {
        var reader = ProtobufReader([
            0x08, 0x96, 0x01,
            0x11, 1, 2, 3, 4, 5, 6, 7, 8,
            0x1A, 0x01, 0x41,
            0x25, 1, 0, 0, 0x80,
        ])
        #expect(try reader.next()?.uint64() == 150)
        #expect(try reader.next()?.value == .fixed64(0x0807_0605_0403_0201))
        #expect(try reader.next()?.string() == "A")
        #expect(try reader.next()?.value == .fixed32(0x8000_0001))
        #expect(try reader.next() == nil)
    }

    @Test(
        "malformed messages are errors",
        arguments: [
            ([0x08], ProtobufError.truncated),
            ([0x08, 0x80], .truncated),
            ([0x0A, 0x05, 0x41], .truncated),
            ([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], .truncated),
            ([0x09, 1, 2, 3], .truncated),
            ([0x08] + [UInt8](repeating: 0xFF, count: 11), .varintTooLong),
            ([0x00, 0x01], .invalidTag),
            ([0x0B], .invalidTag),
            ([0x0F, 0x01], .invalidTag),
        ] as [([UInt8], ProtobufError)])
    func malformed(bytes: [UInt8], expected: ProtobufError) {
        var reader = ProtobufReader(bytes)
        #expect(throws: expected) { try reader.next() }
    }

    @Test("a string must be UTF-8 and a number a number")
    func types() throws {
        var reader = ProtobufReader([0x0A, 0x01, 0xFF, 0x10, 0x01])
        let text = try #require(try reader.next())
        #expect(throws: ProtobufError.invalidUTF8(field: 1)) { try text.string() }
        #expect(throws: ProtobufError.wrongType(field: 1)) { try text.uint64() }
        let number = try #require(try reader.next())
        #expect(throws: ProtobufError.wrongType(field: 2)) { try number.bytes() }
    }

    @Test("random bytes never trap", arguments: 0..<200)
    func random(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        let bytes = (0..<Int(seed % 64)).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        var reader = ProtobufReader(bytes)
        while let field = try? reader.next() { _ = try? field.string() }
        _ = try? RPCRequest(decoding: bytes)
        _ = try? RPCResponse(decoding: bytes)
    }
}

@Suite("ttrpc messages")
struct MessageTests {
    @Test("a request is read back as it was written")
    func request() throws {
        let request = RPCRequest(
            service: "containerd.task.v2.Task", method: "State", payload: [1, 2], timeoutNanoseconds: 5,
            metadata: [RPCMetadata("containerd-namespace-ttrpc", "default"), RPCMetadata("", "")])
        let decoded = try RPCRequest(decoding: request.encoded())
        #expect(decoded == request)
        #expect(decoded.metadata("containerd-namespace-ttrpc") == "default")
        #expect(decoded.metadata("other") == nil)
    }

    @Test("a failure carries its code and text")
    func failure() throws {
        let bytes = RPCResponse(failure: RPCStatus(.notFound, "gone")).encoded()
        #expect(bytes == [0x0A, 0x08, 0x08, 0x05, 0x12, 0x04, 0x67, 0x6F, 0x6E, 0x65])
        #expect(try RPCResponse(decoding: bytes).failure == RPCStatus(.notFound, "gone"))
    }

    @Test("a status of ok is no failure, an unknown code is `unknown`")
    func codes() throws {
        #expect(try RPCResponse(decoding: [0x0A, 0x00]).failure == nil)
        #expect(try RPCResponse(decoding: [0x0A, 0x02, 0x08, 0x63]).failure == RPCStatus(.unknown, ""))
    }
}
