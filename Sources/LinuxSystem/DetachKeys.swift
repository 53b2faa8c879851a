// SPDX-License-Identifier: Apache-2.0

/// The key sequence that leaves a container running and ends the attachment, found in what a terminal sends. A begun
/// sequence is held back until it is clear whether it is one.
package struct DetachKeys: Sendable {
    /// A key that there is no code for.
    package struct UnknownKey: Error {
        package let name: String
    }

    /// ctrl-p ctrl-q
    package static let standard: [UInt8] = [16, 17]

    private let keys: [UInt8]
    private var matched = 0

    /// - Parameter keys: none means that nothing is looked for.
    package init(_ keys: [UInt8]) { self.keys = keys }

    /// The codes of `ctrl-p,ctrl-q`, `a,b`, `ctrl-@`; an empty text is the standard sequence.
    package static func parse(_ text: String) throws(UnknownKey) -> [UInt8] {
        if text.utf8.isEmpty { return standard }
        var keys: [UInt8] = []
        for name in text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            guard let key = code(Array(name)) else { throw UnknownKey(name: String(Substring(name))) }
            keys.append(key)
        }
        return keys
    }

    private static func code(_ name: [UInt8]) -> UInt8? {
        if name.count == 1 { return name[0] }
        guard name.count == 6, name.starts(with: "ctrl-".utf8) else { return nil }
        switch name[5] {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): return name[5] - 96
        case UInt8(ascii: "@"), UInt8(ascii: "[")...UInt8(ascii: "_"): return name[5] - 64
        default: return nil
        }
    }

    /// What of `bytes` goes to the container, and whether the sequence has come to its end; what follows it is dropped.
    package mutating func pass(_ bytes: [UInt8]) -> (passed: [UInt8], isDetached: Bool) {
        if keys.isEmpty { return (bytes, false) }
        var passed: [UInt8] = []
        for byte in bytes {
            if byte == keys[matched] {
                matched += 1
                if matched == keys.count {
                    matched = 0
                    return (passed, true)
                }
                continue
            }
            passed += keys[..<matched]
            matched = byte == keys[0] ? 1 : 0
            if matched == 0 { passed.append(byte) }
        }
        return (passed, false)
    }
}
