// SPDX-License-Identifier: Apache-2.0
import SwiftProtobuf

/// The bytes field of an encoded message (protobuf.dev, "Encoding"), for the two messages that whole images travel in:
/// decoding or encoding one with SwiftProtobuf copies its content several times.
package enum BytesField {
    /// The content of the last length-delimited field `number`; nil if there is none or the message is malformed.
    package static func content(of number: UInt64, in message: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var rest = message
        var found: ArraySlice<UInt8>?
        while !rest.isEmpty {
            guard let key = varint(&rest) else { return nil }
            switch key & 7 {
            case 0: guard varint(&rest) != nil else { return nil }
            case 1: guard take(8, from: &rest) != nil else { return nil }
            case 2:
                guard let length = varint(&rest), let content = take(length, from: &rest) else { return nil }
                if key >> 3 == number { found = content }
            case 5: guard take(4, from: &rest) != nil else { return nil }
            default: return nil
            }
        }
        return found
    }

    /// Appends field `number` with `content`.
    package static func append(_ number: UInt64, _ content: some Collection<UInt8>, to message: inout [UInt8]) {
        appendHeader(number, length: content.count, to: &message)
        message.append(contentsOf: content)
    }

    fileprivate static func appendHeader(_ number: UInt64, length: Int, to message: inout [UInt8]) {
        for value in [number << 3 | 2, UInt64(length)] {
            var value = value
            while value > 0x7f {
                message.append(UInt8(truncatingIfNeeded: value) | 0x80)
                value >>= 7
            }
            message.append(UInt8(value))
        }
    }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    private static func take(_ count: UInt64, from bytes: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard count <= bytes.count else { return nil }
        defer { bytes = bytes.dropFirst(Int(count)) }
        return bytes.prefix(Int(count))
    }
}

extension Containerd_Types_Transfer_Data {
    /// An encoded Any that holds such a message with `bytes`.
    package static func packed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var header: [UInt8] = []
        BytesField.appendHeader(1, length: bytes.count, to: &header)
        var message: [UInt8] = []
        message.reserveCapacity(bytes.count + protoMessageName.utf8.count + 32)
        BytesField.append(1, protoMessageName.utf8, to: &message)
        BytesField.appendHeader(2, length: header.count + bytes.count, to: &message)
        message += header
        message += bytes
        return message
    }

    /// The bytes in an encoded Any, if it holds such a message; nil else.
    package static func unpacked(_ any: [UInt8]) -> ArraySlice<UInt8>? {
        guard let name = BytesField.content(of: 1, in: any[...]),
            name.split(separator: UInt8(ascii: "/")).last?.elementsEqual(protoMessageName.utf8) ?? false
        else { return nil }
        // What is empty is left out.
        guard let message = BytesField.content(of: 2, in: any[...]) else { return [] }
        return BytesField.content(of: 1, in: message) ?? []
    }
}
