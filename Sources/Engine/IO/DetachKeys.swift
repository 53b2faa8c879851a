// SPDX-License-Identifier: Apache-2.0

/// The key sequence that leaves a container running and ends the attachment.
package enum DetachKeys {
    /// ctrl-p ctrl-q
    package static let standard: [UInt8] = [16, 17]

    /// `ctrl-p,ctrl-q`, `a,b`, `ctrl-@`; empty text is the standard sequence.
    package static func parse(_ text: String) throws(EngineError) -> [UInt8] {
        if text.isEmpty { return standard }
        var keys: [UInt8] = []
        for key in text.split(separator: ",", omittingEmptySubsequences: false) {
            let bytes = Array(key.utf8)
            if bytes.count == 1 {
                keys.append(bytes[0])
            } else if key.hasPrefix("ctrl-"), bytes.count == 6, let code = control(bytes[5]) {
                keys.append(code)
            } else {
                throw .invalidArgument("Invalid escape keys (\(text)) provided")
            }
        }
        return keys
    }

    private static func control(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 97...122: byte - 96  // a-z
        case 64, 91...95: byte - 64  // @ [ \ ] ^ _
        default: nil
        }
    }
}

/// Finds the detach keys in what a terminal sends. The beginning of a sequence is held back until it is clear whether
/// it is one.
package struct DetachDetector: Sendable {
    private let keys: [UInt8]
    private var matched = 0

    package init(_ keys: [UInt8]) { self.keys = keys }

    /// What is to be passed on, and whether the sequence has come to its end; what follows it is dropped.
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
