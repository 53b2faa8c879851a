// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// `Sat, 21 Nov 2026 02:09:23 GMT` (RFC 9110 §5.6.7).
func httpDate(_ time: Timestamp) -> String {
    let days = time.seconds >= 0 ? time.seconds / 86400 : (time.seconds - 86399) / 86400
    let second = time.seconds - days * 86400
    let date = Timestamp.civil(days)
    let weekday = weekdays[Int(((days % 7) + 11) % 7)]  // day 0 was a Thursday
    let clock = [second / 3600, second % 3600 / 60, second % 60].map { twoDigits($0) }.joined(separator: ":")
    return "\(weekday), \(twoDigits(date.day)) \(months[Int(date.month) - 1]) \(date.year) \(clock) GMT"
}

private let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
private let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

private func twoDigits(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
