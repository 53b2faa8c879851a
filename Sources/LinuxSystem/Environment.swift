// SPDX-License-Identifier: Apache-2.0
import CLinux

/// The program's environment as it was started with.
package enum Environment {
    /// All of it as `KEY=value`, in order.
    package static func current() -> [String] {
        guard let bytes = try? readFile(FilePath("/proc/self/environ"), limit: 8 << 20) else { return [] }
        var entries: [String] = []
        for entry in bytes.split(separator: 0) { entries.append(String(decoding: entry, as: UTF8.self)) }
        return entries
    }

    package static func value(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        return String(cString: value)
    }

    /// The value unless it is missing or empty, which most variables treat alike.
    package static func nonEmpty(_ name: String) -> String? {
        guard let value = value(name), !value.isEmpty else { return nil }
        return value
    }
}
