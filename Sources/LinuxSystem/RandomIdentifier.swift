// SPDX-License-Identifier: Apache-2.0
#if !SWRUN_EMBEDDED
    /// 64 random hexadecimal digits, docker's form of an id.
    package func randomIdentifier() -> String {
        let digits = Array("0123456789abcdef".utf8)
        var generator = SystemRandomNumberGenerator()
        var text: [UInt8] = []
        for _ in 0..<8 {
            var word = generator.next()
            for _ in 0..<8 {
                text.append(digits[Int(word & 15)])
                word >>= 8
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
#endif
