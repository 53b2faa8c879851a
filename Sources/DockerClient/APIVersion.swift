// SPDX-License-Identifier: Apache-2.0

/// `1.41`-like version texts.
package enum APIVersion {
    package static func isLess(_ left: String, _ right: String) -> Bool {
        let (a, b) = (numbers(left), numbers(right))
        for index in 0..<max(a.count, b.count) {
            let (x, y) = (index < a.count ? a[index] : 0, index < b.count ? b[index] : 0)
            if x != y { return x < y }
        }
        return false
    }

    private static func numbers(_ text: String) -> [Int] {
        text.split(separator: ".").map { Int($0) ?? 0 }
    }
}
