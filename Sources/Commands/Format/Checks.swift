// SPDX-License-Identifier: Apache-2.0

/// Checks of flag values, in the words that docker uses to refuse them.
package enum Checks {
    @Sendable package static func bytes(_ value: String) -> String? {
        do throws(SizeText.Malformed) { _ = try SizeText.parse(value) } catch { return error.reason }
        return nil
    }

    /// As `bytes`, but -1 is fine too.
    @Sendable package static func bytesOrUnlimited(_ value: String) -> String? {
        value == "-1" ? nil : bytes(value)
    }

    @Sendable package static func duration(_ value: String) -> String? {
        DurationText.parse(value) == nil ? "time: invalid duration " + value.quoted : nil
    }

    @Sendable package static func filter(_ value: String) -> String? {
        value.isEmpty || value.contains("=") ? nil : "bad format of filter (expected name=value)"
    }

    @Sendable package static func decimal(_ value: String) -> String? {
        do throws(Decimal.Malformed) { _ = try Decimal.nano(value) } catch { return error.reason }
        return nil
    }

}

/// Numbers of processors, kept exactly in billionths.
package enum Decimal {
    package struct Malformed: Error, Equatable {
        package var reason: String
    }

    /// `1.5` is 1500000000.
    package static func nano(_ text: String) throws(Malformed) -> Int64 {
        let unreadable = Malformed(reason: "failed to parse " + text + " as a rational number")
        let parts = text.parts(".")
        guard parts.count <= 2, let whole = Int64(parts[0].isEmpty ? "0" : parts[0]), !text.isEmpty, text != "." else {
            throw unreadable
        }
        var fraction = parts.count == 2 ? parts[1] : ""
        while fraction.hasSuffix("0") { fraction.removeLast() }
        guard fraction.isEmpty || fraction.isDigits else { throw unreadable }
        guard fraction.utf8.count <= 9 else { throw Malformed(reason: "value is too precise") }
        let billionths = Int64(fraction + String(repeating: "0", count: 9 - fraction.utf8.count)) ?? 0
        let (product, overflow) = whole.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isOver) = product.addingReportingOverflow(parts[0].hasPrefix("-") ? -billionths : billionths)
        guard !overflow, !isOver else { throw unreadable }
        return sum
    }
}
