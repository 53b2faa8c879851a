// SPDX-License-Identifier: Apache-2.0

/// Builds one protobuf message. As proto3 asks for, a field that has its default value is left out.
package struct ProtobufWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func uint64(_ field: UInt32, _ value: UInt64) {
        if value != 0 { present(field, value) }
    }

    /// A number that is present even if it is zero, as proto2 tells apart.
    package mutating func present(_ field: UInt32, _ value: UInt64) {
        tag(field, 0)
        varint(value)
    }

    package mutating func uint32(_ field: UInt32, _ value: UInt32) { uint64(field, UInt64(value)) }
    package mutating func int64(_ field: UInt32, _ value: Int64) { uint64(field, UInt64(bitPattern: value)) }
    /// Negative numbers take ten bytes: the sign is extended to 64 bits.
    package mutating func int32(_ field: UInt32, _ value: Int32) { int64(field, Int64(value)) }
    package mutating func bool(_ field: UInt32, _ value: Bool) { uint64(field, value ? 1 : 0) }

    package mutating func string(_ field: UInt32, _ value: String) {
        guard !value.utf8.isEmpty else { return }
        element(field, [UInt8](value.utf8))
    }

    package mutating func bytes(_ field: UInt32, _ value: [UInt8]) {
        guard !value.isEmpty else { return }
        element(field, value)
    }

    /// A message field that is present even if the message is empty.
    package mutating func message(_ field: UInt32, _ body: (inout ProtobufWriter) -> Void) {
        var writer = ProtobufWriter()
        body(&writer)
        element(field, writer.bytes)
    }

    /// One element of a repeated string, bytes or message field: present even if empty.
    package mutating func element(_ field: UInt32, _ value: [UInt8]) {
        tag(field, 2)
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// A repeated number, packed.
    package mutating func packed(_ field: UInt32, _ values: [UInt64]) {
        guard !values.isEmpty else { return }
        var writer = ProtobufWriter()
        for value in values { writer.varint(value) }
        element(field, writer.bytes)
    }

    private mutating func tag(_ field: UInt32, _ wireType: UInt64) {
        varint(UInt64(field) << 3 | wireType)
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
