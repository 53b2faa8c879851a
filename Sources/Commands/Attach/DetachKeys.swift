// SPDX-License-Identifier: Apache-2.0

/// The key sequence that leaves a container without ending it, `ctrl-p,ctrl-q` unless the user chose another.
package struct DetachKeys: Sendable {
    private let sequence: [UInt8]
    private var matched = 0

    package static let standard: [UInt8] = [16, 17]

    /// - Parameter text: e.g. `ctrl-p,ctrl-q` or `a,b`; an empty text means the standard sequence.
    package init(_ text: String) throws {
        if text.isEmpty {
            sequence = DetachKeys.standard
            return
        }
        var keys: [UInt8] = []
        for name in text.parts(",") {
            guard let key = DetachKeys.key(name) else {
                throw CommandFailure("invalid detach keys (" + text + "): Unknown character: '" + name + "'")
            }
            keys.append(key)
        }
        sequence = keys
    }

    private static func key(_ name: String) -> UInt8? {
        let bytes = Array(name.utf8)
        if bytes.count == 1 { return bytes[0] }
        guard name.hasPrefix("ctrl-"), bytes.count == 6 else { return nil }
        switch bytes[5] {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): return bytes[5] - UInt8(ascii: "a") + 1
        case UInt8(ascii: "@"): return 0
        case UInt8(ascii: "["): return 27
        case UInt8(ascii: "\\"): return 28
        case UInt8(ascii: "]"): return 29
        case UInt8(ascii: "^"): return 30
        case UInt8(ascii: "_"): return 31
        default: return nil
        }
    }

    /// What of `bytes` goes to the container, and whether the sequence is complete. A begun sequence is held back
    /// until it is clear what it is.
    package mutating func filter(_ bytes: [UInt8]) -> (passed: [UInt8], isComplete: Bool) {
        var passed: [UInt8] = []
        for byte in bytes {
            if byte == sequence[matched] {
                matched += 1
                if matched == sequence.count {
                    matched = 0
                    return (passed, true)
                }
                continue
            }
            passed += sequence[..<matched]
            matched = 0
            if byte == sequence[0] { matched = 1 } else { passed.append(byte) }
        }
        return (passed, false)
    }
}
