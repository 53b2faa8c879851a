// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// An IP network in CIDR notation.
struct IPPrefix {
    private let bytes: [UInt8]
    private let length: Int

    init?(_ text: String) {
        guard let (address, digits) = text.cut("/"), let length = Int(digits), let bytes = IPPrefix.parse(address),
            (0...bytes.count * 8).contains(length)
        else { return nil }
        self.bytes = bytes
        self.length = length
    }

    /// Whether an address, or the first address of a network, lies in this one.
    func contains(_ text: String) -> Bool {
        guard let other = IPPrefix.parse(text.cut("/")?.0 ?? text), other.count == bytes.count else { return false }
        return (0..<length).allSatisfy { bit in
            (bytes[bit / 8] ^ other[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
        }
    }

    static func isAddress(_ text: String) -> Bool { parse(text) != nil }

    private static func parse(_ text: String) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &buffer) == 1 { return Array(buffer[..<4]) }
        return inet_pton(AF_INET6, text, &buffer) == 1 ? buffer : nil
    }
}
