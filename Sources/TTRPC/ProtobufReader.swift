// SPDX-License-Identifier: Apache-2.0

/// Why bytes are not a protobuf message.
package enum ProtobufError: Error, Sendable, Equatable {
    case truncated
    case varintTooLong
    case invalidTag
    case wrongType(field: UInt32)
    case invalidUTF8(field: UInt32)

    package var description: String {
        switch self {
        case .truncated: "message ends in the middle of a field"
        case .varintTooLong: "varint of more than ten bytes"
        case .invalidTag: "invalid field tag"
        case .wrongType(let field): "field \(field) has an unexpected wire type"
        case .invalidUTF8(let field): "field \(field) is not valid UTF-8"
        }
    }
}

/// One field of a message: its number and its value as it is on the wire.
package struct ProtobufField: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
        case varint(UInt64)
        case fixed64(UInt64)
        case bytes(ArraySlice<UInt8>)
        case fixed32(UInt32)
    }

    package var number: UInt32
    package var value: Value

    package func uint64() throws(ProtobufError) -> UInt64 {
        guard case .varint(let value) = value else { throw .wrongType(field: number) }
        return value
    }

    package func uint32() throws(ProtobufError) -> UInt32 { UInt32(truncatingIfNeeded: try uint64()) }
    package func int64() throws(ProtobufError) -> Int64 { Int64(bitPattern: try uint64()) }
    package func int32() throws(ProtobufError) -> Int32 { Int32(truncatingIfNeeded: try uint64()) }
    package func bool() throws(ProtobufError) -> Bool { try uint64() != 0 }

    package func slice() throws(ProtobufError) -> ArraySlice<UInt8> {
        guard case .bytes(let slice) = value else { throw .wrongType(field: number) }
        return slice
    }

    package func bytes() throws(ProtobufError) -> [UInt8] { [UInt8](try slice()) }

    /// A repeated number: all of a packed field, or the one of an unpacked one.
    package func numbers() throws(ProtobufError) -> [UInt64] {
        guard case .bytes(let slice) = value else { return [try uint64()] }
        var reader = ProtobufReader(slice)
        return try reader.varints()
    }

    package func string() throws(ProtobufError) -> String {
        guard let text = String(validating: try slice(), as: UTF8.self) else { throw .invalidUTF8(field: number) }
        return text
    }
}

/// Reads the fields of one protobuf message in order. Total: hostile bytes give an error, never a trap, and nothing is
/// allocated for a length that the message only claims to have.
package struct ProtobufReader: Sendable {
    private var rest: ArraySlice<UInt8>

    package init(_ message: ArraySlice<UInt8>) { rest = message }
    package init(_ message: [UInt8]) { rest = message[...] }

    /// The next field, or nil at the end of the message.
    package mutating func next() throws(ProtobufError) -> ProtobufField? {
        guard !rest.isEmpty else { return nil }
        let tag = try varint()
        let number = tag >> 3
        guard number > 0, number <= 0x1FFF_FFFF else { throw .invalidTag }
        let value: ProtobufField.Value
        switch tag & 7 {
        case 0: value = .varint(try varint())
        case 1: value = .fixed64(try littleEndian(8))
        case 2: value = .bytes(try take(try varint()))
        case 5: value = .fixed32(UInt32(truncatingIfNeeded: try littleEndian(4)))
        default: throw .invalidTag  // 3 and 4 are groups, which proto3 does not have
        }
        return ProtobufField(number: UInt32(number), value: value)
    }

    /// All that is left, as varints without tags.
    fileprivate mutating func varints() throws(ProtobufError) -> [UInt64] {
        var numbers: [UInt64] = []
        while !rest.isEmpty { numbers.append(try varint()) }
        return numbers
    }

    private mutating func varint() throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 70 {
            guard let byte = rest.popFirst() else { throw .truncated }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw .varintTooLong
    }

    private mutating func littleEndian(_ count: UInt64) throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        for byte in try take(count).reversed() { value = value << 8 | UInt64(byte) }
        return value
    }

    private mutating func take(_ count: UInt64) throws(ProtobufError) -> ArraySlice<UInt8> {
        guard count <= UInt64(rest.count) else { throw .truncated }
        let slice = rest.prefix(Int(count))
        rest = rest.dropFirst(Int(count))
        return slice
    }
}
