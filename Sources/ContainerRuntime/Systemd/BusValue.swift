// SPDX-License-Identifier: Apache-2.0

/// A value of a D-Bus message, as far as talking to systemd takes them (D-Bus specification, "Type System").
indirect enum BusValue: Sendable, Equatable {
    case boolean(Bool)
    case uint32(UInt32)
    case int32(Int32)
    case uint64(UInt64)
    case int64(Int64)
    case string(String)
    /// All of one type; `of` is its signature, which an empty array has too.
    case array([BusValue], of: String)
    case structure([BusValue])
    case variant(BusValue)

    var signature: String {
        switch self {
        case .boolean: "b"
        case .uint32: "u"
        case .int32: "i"
        case .uint64: "t"
        case .int64: "x"
        case .string: "s"
        case .array(_, let type): "a" + type
        case .structure(let members): "(" + members.map { $0.signature }.joined() + ")"
        case .variant: "v"
        }
    }

    static func strings(_ values: [String]) -> BusValue { .array(values.map { .string($0) }, of: "s") }
    static func bytes(_ values: [UInt8]) -> BusValue { .array(values.map { .uint32(UInt32($0)) }, of: "y") }

    /// A property as systemd's methods take them: a name and a variant.
    static func property(_ name: String, _ value: BusValue) -> BusValue {
        .structure([.string(name), .variant(value)])
    }
}

/// Bytes in D-Bus's wire format, little-endian. Alignment counts from the first byte.
struct BusWriter {
    private(set) var bytes: [UInt8] = []

    mutating func align(_ size: Int) { while bytes.count % size != 0 { bytes.append(0) } }

    mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        align(MemoryLayout<Number>.size)
        withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }

    /// A string or an object path.
    mutating func append(text: String) {
        append(UInt32(text.utf8.count))
        bytes += text.utf8
        bytes.append(0)
    }

    mutating func append(signature: String) {
        bytes.append(UInt8(truncatingIfNeeded: signature.utf8.count))
        bytes += signature.utf8
        bytes.append(0)
    }

    mutating func append(_ value: BusValue) {
        switch value {
        case .boolean(let flag): append(UInt32(flag ? 1 : 0))
        case .uint32(let number): append(number)
        case .int32(let number): append(number)
        case .uint64(let number): append(number)
        case .int64(let number): append(number)
        case .string(let text): append(text: text)
        case .array(let elements, let type): append(elements, of: type)
        case .structure(let members):
            align(8)
            for member in members { append(member) }
        case .variant(let value):
            append(signature: value.signature)
            append(value)
        }
    }

    private mutating func append(_ elements: [BusValue], of type: String) {
        append(UInt32(0))
        let place = bytes.count - 4
        align(type.hasPrefix("(") || type == "t" || type == "x" ? 8 : type == "y" || type == "v" ? 1 : 4)
        let start = bytes.count  // the padding before the first element does not count
        for element in elements {
            if type == "y", case .uint32(let byte) = element {
                bytes.append(UInt8(truncatingIfNeeded: byte))
            } else {
                append(element)
            }
        }
        let length = UInt32(bytes.count - start)
        for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: length >> (8 * UInt32(index))) }
    }
}

/// Reads D-Bus's wire format; every read past the end is nil.
struct BusReader {
    let bytes: [UInt8]
    var offset = 0
    var isBigEndian = false

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func align(_ size: Int) { offset = (offset + size - 1) / size * size }

    mutating func byte() -> UInt8? {
        guard offset < bytes.count else { return nil }
        offset += 1
        return bytes[offset - 1]
    }

    mutating func uint32() -> UInt32? {
        align(4)
        guard offset + 4 <= bytes.count else { return nil }
        var value: UInt32 = 0
        for index in 0..<4 { value |= UInt32(bytes[offset + index]) << (8 * UInt32(isBigEndian ? 3 - index : index)) }
        offset += 4
        return value
    }

    /// A string or an object path.
    mutating func text() -> String? {
        guard let length = uint32() else { return nil }
        return text(length: Int(length))
    }

    mutating func signature() -> String? {
        guard let length = byte() else { return nil }
        return text(length: Int(length))
    }

    private mutating func text(length: Int) -> String? {
        guard length < bytes.count, offset + length < bytes.count else { return nil }
        defer { offset += length + 1 }
        return String(decoding: bytes[offset..<offset + length], as: UTF8.self)
    }
}
