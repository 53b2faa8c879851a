// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// The values of `--since` and `--until`: dates with or without time and zone, seconds since 1970, or a duration back
/// from now.
package enum TimeArgument {
    /// What the help of such flags says.
    static let help = "a time like 2026-01-31T10:00:00Z, or a duration back from now like 10m"

    /// The text that the API takes: seconds with an optional fraction.
    ///
    /// - Parameter flag: the flag that errors name, if they name one.
    package static func parse(_ text: String, named flag: String? = nil, now: Timestamp = .now) throws -> String {
        if text != "0", let duration = DurationText.parse(text) {  // 0 is the beginning of all time
            let (moment, isTooFar) = now.nanoseconds.subtractingReportingOverflow(duration)
            if !isTooFar { return seconds(Timestamp(nanoseconds: moment)) }
        }
        if let time = Timestamp(rfc3339: text) { return seconds(time) }
        if let time = local(text) { return seconds(time) }
        if let (whole, fraction) = text.cut("."), whole.isDigits, fraction.isDigits { return text }
        if text.isDigits { return text }
        let reason = "failed to parse value as time or duration: " + text.quoted
        throw CommandFailure(flag.map { "invalid value for " + $0.quoted + ": " + reason } ?? reason)
    }

    private static func seconds(_ time: Timestamp) -> String {
        "\(time.seconds)." + padded(time.subsecond, 9)
    }

    /// `2006-01-02`, `2006-01-02T15:04`, `2006-01-02T15:04:05` in the user's time zone, or with `Z` behind.
    private static func local(_ text: String) -> Timestamp? {
        if text.hasSuffix("Z") {
            let bare = String(text.dropLast())
            let suffix = bare.utf8.count == 10 ? "T00:00:00Z" : (bare.utf8.count == 16 ? ":00Z" : "Z")
            return Timestamp(rfc3339: bare + suffix)
        }
        let numbers = text.split { "-T:".contains($0) }.map { Int($0) }
        guard text.utf8.count >= 10, numbers.count == 3 || numbers.count >= 5, numbers.count <= 6,
            !numbers.contains(nil)
        else { return nil }
        let n = numbers.compactMap { $0 } + [0, 0, 0]
        return LocalTime.timestamp(year: n[0], month: n[1], day: n[2], hour: n[3], minute: n[4], second: n[5])
    }
}
