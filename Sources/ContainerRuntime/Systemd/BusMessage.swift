// SPDX-License-Identifier: Apache-2.0

/// A D-Bus message (D-Bus specification, "Message Format"): a call of ours, or what came from the bus.
struct BusMessage: Sendable, Equatable {
    enum Kind: UInt8 {
        case call = 1
        case reply = 2
        case error = 3
        case signal = 4
    }

    var kind: Kind
    var serial: UInt32 = 0
    var replySerial: UInt32 = 0
    var path = ""
    var interface = ""
    var member = ""
    var errorName = ""
    var signature = ""
    var body: [UInt8] = []

    /// The first strings and object paths of the body, up to something else.
    var texts: [String] {
        var reader = BusReader(body)
        var found: [String] = []
        for type in signature.utf8 {
            if type == UInt8(ascii: "u") {
                _ = reader.uint32()
            } else if type == UInt8(ascii: "v") {
                guard reader.signature() == "s", let text = reader.text() else { break }
                found.append(text)
            } else {
                guard type == UInt8(ascii: "s") || type == UInt8(ascii: "o"), let text = reader.text() else { break }
                found.append(text)
            }
        }
        return found
    }

    /// The bytes of a call to `destination`.
    func call(to destination: String) -> [UInt8] {
        var writer = BusWriter()
        for byte: UInt8 in [UInt8(ascii: "l"), kind.rawValue, 0, 1] { writer.append(byte) }
        writer.append(UInt32(body.count))
        writer.append(serial)
        var fields = BusWriter()
        // The fields follow 16 bytes, so their own alignment is the message's.
        for (code, type, text) in [
            (1, "o", path), (2, "s", interface), (3, "s", member), (6, "s", destination), (8, "g", signature),
        ] as [(UInt8, String, String)] where !text.isEmpty {
            fields.align(8)
            fields.append(code)
            fields.append(signature: type)
            type == "g" ? fields.append(signature: text) : fields.append(text: text)
        }
        writer.append(UInt32(fields.bytes.count))
        var message = writer.bytes + fields.bytes
        while message.count % 8 != 0 { message.append(0) }
        return message + body
    }

    /// How many bytes a message has, from its first 16; nil if they are no message's.
    static func length(of header: [UInt8]) -> Int? {
        guard header.count >= 16, let order = header.first else { return nil }
        var reader = BusReader(header)
        reader.isBigEndian = order == UInt8(ascii: "B")
        reader.offset = 4
        guard let body = reader.uint32(), reader.uint32() != nil, let fields = reader.uint32(),
            body < maximumLength, fields < maximumLength
        else { return nil }
        return 16 + (Int(fields) + 7) / 8 * 8 + Int(body)
    }

    /// Reads a whole message; nil if it is none. Fields and kinds that are not known are passed over.
    init?(_ bytes: [UInt8]) {
        guard let length = BusMessage.length(of: bytes), bytes.count == length, let kind = Kind(rawValue: bytes[1])
        else {
            return nil
        }
        self.kind = kind
        var reader = BusReader(bytes)
        reader.isBigEndian = bytes[0] == UInt8(ascii: "B")
        reader.offset = 4
        guard let bodyLength = reader.uint32(), let serial = reader.uint32(), let fieldsLength = reader.uint32() else {
            return nil
        }
        self.serial = serial
        let end = reader.offset + Int(fieldsLength)
        while reader.offset < end {
            reader.align(8)
            guard let code = reader.byte(), let type = reader.signature(), read(code, type, &reader) else { return nil }
        }
        body = Array(bytes[(length - Int(bodyLength))...])
    }

    init(path: String, interface: String, member: String, arguments: [BusValue]) {
        kind = .call
        self.path = path
        self.interface = interface
        self.member = member
        signature = arguments.map { $0.signature }.joined()
        var writer = BusWriter()
        for argument in arguments { writer.append(argument) }
        body = writer.bytes
    }

    /// One header field; false if it cannot be read.
    private mutating func read(_ code: UInt8, _ type: String, _ reader: inout BusReader) -> Bool {
        switch type {
        case "u":
            guard let number = reader.uint32() else { return false }
            if code == 5 { replySerial = number }
        case "g":
            guard let text = reader.signature() else { return false }
            if code == 8 { signature = text }
        case "s", "o":
            guard let text = reader.text() else { return false }
            switch code {
            case 1: path = text
            case 2: interface = text
            case 3: member = text
            case 4: errorName = text
            default: break
            }
        default: return false
        }
        return true
    }
}

private let maximumLength: UInt32 = 1 << 20
