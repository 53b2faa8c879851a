// SPDX-License-Identifier: Apache-2.0

/// The order in which people expect names: `net2` before `net10`.
package enum NaturalOrder {
    package static func precedes(_ left: String, _ right: String) -> Bool {
        var (a, b) = (Array(left.utf8)[...], Array(right.utf8)[...])
        while let x = a.first, let y = b.first {
            if isDigit(x), isDigit(y) {
                let (m, n) = (takeNumber(&a), takeNumber(&b))
                if m.value.count != n.value.count { return m.value.count < n.value.count }
                if m.value != n.value { return m.value.lexicographicallyPrecedes(n.value) }
                if m.zeros != n.zeros { return m.zeros < n.zeros }
                continue
            }
            if x != y { return x < y }
            a.removeFirst()
            b.removeFirst()
        }
        return a.count < b.count
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

    /// The digits at the front without leading zeros, and how many zeros there were.
    private static func takeNumber(_ bytes: inout ArraySlice<UInt8>) -> (value: [UInt8], zeros: Int) {
        let digits = bytes.prefix(while: isDigit)
        bytes = bytes.dropFirst(digits.count)
        let value = Array(digits.drop { $0 == 48 })
        return (value, digits.count - value.count)
    }
}
