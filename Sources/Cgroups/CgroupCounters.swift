// SPDX-License-Identifier: Apache-2.0

/// The lines `name number` of a cgroup file such as memory.stat and cpu.stat, in the kernel's order.
package struct CgroupCounters: Sendable, Equatable {
    package struct Counter: Sendable, Equatable {
        package var name: String
        package var value: UInt64

        package init(_ name: String, _ value: UInt64) {
            self.name = name
            self.value = value
        }
    }

    package var all: [Counter] = []

    package init() {}

    /// Lines of another form are left out.
    package init(_ text: String) {
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "))
            guard words.count == 2, let value = number(words[1]) else { continue }
            all.append(Counter(String(decoding: words[0], as: UTF8.self), value))
        }
    }

    /// Nil if the kernel does not count it.
    package func find(_ name: String) -> UInt64? {
        for counter in all where counter.name == name { return counter.value }
        return nil
    }

    package subscript(_ name: String) -> UInt64 { find(name) ?? 0 }
}

/// A decimal number and nothing else; one that is too large for 64 bits counts as the largest.
func number(_ digits: some Sequence<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    var count = 0
    for digit in digits {
        guard digit >= 48, digit <= 57 else { return nil }
        let (product, overflow) = value.multipliedReportingOverflow(by: 10)
        let (sum, carry) = product.addingReportingOverflow(UInt64(digit - 48))
        value = overflow || carry ? .max : sum
        count += 1
    }
    return count == 0 ? nil : value
}
