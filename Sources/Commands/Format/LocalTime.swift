// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
package import LinuxSystem

/// Times in the user's time zone.
package enum LocalTime {
    /// `2026-08-01 10:00:00 +0200 CEST`, as Go prints a time.
    package static func goText(_ time: Timestamp) -> String {
        let local = broken(time)
        return date(local) + " " + clock(local) + " " + offset(local, colon: false) + " " + zoneName(local)
    }

    /// `2026-08-01 10:00:00.123456789 +0200 CEST`: as many digits of the second as are not zero.
    package static func goTextNano(_ time: Timestamp) -> String {
        let local = broken(time)
        var fraction = Array(padded(time.subsecond, 9).utf8)
        while fraction.last == 48 { fraction.removeLast() }
        let digits = fraction.isEmpty ? "" : "." + String(decoding: fraction, as: UTF8.self)
        return date(local) + " " + clock(local) + digits + " " + offset(local, colon: false) + " " + zoneName(local)
    }

    /// `2026-08-01T10:00:00+02:00`
    package static func rfc3339(_ time: Timestamp) -> String {
        let local = broken(time)
        return date(local) + "T" + clock(local) + (local.tm_gmtoff == 0 ? "Z" : offset(local, colon: true))
    }

    /// `2026-08-01T10:00:00.000000000+02:00`: always nine digits of the second.
    package static func rfc3339Nano(_ time: Timestamp) -> String {
        let local = broken(time)
        let fraction = padded(time.subsecond, 9)
        let zone = local.tm_gmtoff == 0 ? "Z" : offset(local, colon: true)
        return date(local) + "T" + clock(local) + "." + fraction + zone
    }

    /// `Sat Aug  1 10:00:00 2026`, as C's asctime.
    package static func ansiC(_ time: Timestamp) -> String {
        let local = broken(time)
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let day = (local.tm_mday < 10 ? " " : "") + String(local.tm_mday)
        return days[Int(local.tm_wday)] + " " + months[Int(local.tm_mon)] + " " + day + " " + clock(local)
            + " \(local.tm_year + 1900)"
    }

    /// The moment that a local date and time without a zone means; nil if it is too far away for a `Timestamp`, as the
    /// year 9999 is.
    package static func timestamp(
        year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0
    ) -> Timestamp? {
        var parts = tm()
        parts.tm_year = Int32(truncatingIfNeeded: year - 1900)
        parts.tm_mon = Int32(truncatingIfNeeded: month - 1)
        parts.tm_mday = Int32(truncatingIfNeeded: day)
        parts.tm_hour = Int32(truncatingIfNeeded: hour)
        parts.tm_min = Int32(truncatingIfNeeded: minute)
        parts.tm_sec = Int32(truncatingIfNeeded: second)
        parts.tm_isdst = -1
        let (nanoseconds, isTooFar) = Int64(mktime(&parts)).multipliedReportingOverflow(by: 1_000_000_000)
        return isTooFar ? nil : Timestamp(nanoseconds: nanoseconds)
    }

    private static func broken(_ time: Timestamp) -> tm {
        var seconds = time_t(time.seconds)
        var parts = tm()
        localtime_r(&seconds, &parts)
        return parts
    }

    private static func date(_ t: tm) -> String {
        padded(Int64(t.tm_year) + 1900, 4) + "-" + padded(Int64(t.tm_mon) + 1, 2) + "-" + padded(Int64(t.tm_mday), 2)
    }

    private static func clock(_ t: tm) -> String {
        padded(Int64(t.tm_hour), 2) + ":" + padded(Int64(t.tm_min), 2) + ":" + padded(Int64(t.tm_sec), 2)
    }

    private static func offset(_ t: tm, colon: Bool) -> String {
        let minutes = abs(Int64(t.tm_gmtoff)) / 60
        return (t.tm_gmtoff < 0 ? "-" : "+") + padded(minutes / 60, 2) + (colon ? ":" : "") + padded(minutes % 60, 2)
    }

    private static func zoneName(_ t: tm) -> String {
        guard let zone = t.tm_zone else { return "UTC" }
        return String(cString: zone)
    }
}

/// `value` with leading zeros.
package func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}
