// SPDX-License-Identifier: Apache-2.0

/// Writes tar archives, hostile ones included: every field can be wrong.
struct TarBuilder {
    private(set) var bytes: [UInt8] = []

    /// A header block. `edit` changes the block before the checksum is made.
    mutating func header(
        _ name: String, _ type: Character = "0", size: Int = 0, link: String = "", mode: Int = 0o644, uid: Int = 0,
        edit: (inout [UInt8]) -> Void = { _ in }
    ) {
        var block = [UInt8](repeating: 0, count: 512)
        Self.put(Array(name.utf8), 0, 100, &block)
        Self.put(Self.octal(mode, 7), 100, 8, &block)
        Self.put(Self.octal(uid, 7), 108, 8, &block)
        Self.put(Self.octal(0, 7), 116, 8, &block)
        Self.put(Self.octal(size, 11), 124, 12, &block)
        Self.put(Self.octal(1_700_000_000, 11), 136, 12, &block)
        block[156] = type.asciiValue ?? 0
        Self.put(Array(link.utf8), 157, 100, &block)
        Self.put(Array("ustar\u{0}00".utf8), 257, 8, &block)
        edit(&block)
        Self.seal(&block)
        bytes += block
    }

    mutating func data(_ data: [UInt8]) {
        bytes += data
        bytes += [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
    }

    mutating func file(_ name: String, _ text: String = "x", mode: Int = 0o644) {
        header(name, size: text.utf8.count, mode: mode)
        data(Array(text.utf8))
    }

    mutating func directory(_ name: String) { header(name, "5", mode: 0o755) }

    mutating func symbolicLink(_ name: String, _ target: String) { header(name, "2", link: target, mode: 0o777) }

    mutating func hardLink(_ name: String, _ target: String) { header(name, "1", link: target) }

    /// A PAX header for the entry that follows.
    mutating func pax(_ records: [(String, String)]) {
        var body: [UInt8] = []
        for (key, value) in records { body += Self.record(key, Array(value.utf8)) }
        paxRaw(body)
    }

    mutating func paxRaw(_ body: [UInt8]) {
        header("PaxHeaders/x", "x", size: body.count)
        data(body)
    }

    /// The archive with its end mark.
    var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = Array(" \(key)=".utf8) + value + [10]
        var length = rest.count + 1
        while String(length).utf8.count + rest.count != length { length += 1 }
        return Array(String(length).utf8) + rest
    }

    static func seal(_ block: inout [UInt8]) {
        for index in 148..<156 { block[index] = 32 }
        put(octal(block.reduce(0) { $0 + Int($1) }, 6) + [0, 32], 148, 8, &block)
    }

    static func put(_ text: [UInt8], _ offset: Int, _ length: Int, _ block: inout [UInt8]) {
        for (index, byte) in text.prefix(length).enumerated() { block[offset + index] = byte }
    }

    static func octal(_ number: Int, _ digits: Int) -> [UInt8] {
        let text = String(number, radix: 8)
        return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8)
    }
}
