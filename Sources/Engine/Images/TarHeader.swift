// SPDX-License-Identifier: Apache-2.0

/// Headers of a tar archive (POSIX ustar), as far as an archive of images needs them: plain files and directories with
/// short names.
enum TarHeader {
    static let blockSize = 512

    /// Two empty blocks end an archive.
    static let end = [UInt8](repeating: 0, count: 2 * blockSize)

    static func file(_ name: String, size: Int64) -> [UInt8] { header(name, size: size, mode: "0000644", type: "0") }

    static func directory(_ name: String) -> [UInt8] { header(name + "/", size: 0, mode: "0000755", type: "5") }

    /// What fills the last block of a file.
    static func padding(_ size: Int64) -> [UInt8] {
        [UInt8](repeating: 0, count: Int((Int64(blockSize) - size % Int64(blockSize)) % Int64(blockSize)))
    }

    private static func header(_ name: String, size: Int64, mode: String, type: Character) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: blockSize)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
        }
        put(name, at: 0)
        put(mode, at: 100)
        put("0000000", at: 108)  // owner
        put("0000000", at: 116)  // group
        putSize(size, in: &block)
        put("00000000000", at: 136)  // time: the same images give the same archive
        put(String(repeating: " ", count: 8), at: 148)
        put(String(type), at: 156)
        put("ustar", at: 257)
        put("00", at: 263)
        put(octal(Int64(block.reduce(0) { $0 + Int($1) }), digits: 6), at: 148)
        block[154] = 0
        return block
    }

    /// Eleven octal digits, or from 8 GiB on GNU's binary form, which everyone reads.
    private static func putSize(_ size: Int64, in block: inout [UInt8]) {
        if size < 1 << 33 {
            for (index, byte) in octal(size, digits: 11).utf8.enumerated() { block[124 + index] = byte }
            return
        }
        block[124] = 0x80
        for index in 0..<8 { block[128 + index] = UInt8(truncatingIfNeeded: size >> (56 - 8 * index)) }
    }

    private static func octal(_ value: Int64, digits: Int) -> String {
        let text = String(value, radix: 8)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
