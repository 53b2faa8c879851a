// SPDX-License-Identifier: Apache-2.0

/// What a command line said: the values of its flags and the arguments that are no flags.
package struct FlagValues: Sendable {
    struct Entry: Sendable {
        var name: String
        var value: String
    }

    /// The known flags, for defaults.
    let flags: [Flag]
    var entries: [Entry] = []

    /// Everything that is not a flag, in order.
    package var arguments: [String] = []
    /// How many arguments came before `--`, if there was one.
    package var argumentsBeforeDashes: Int?
    /// `Flag --x has been deprecated, …` lines that the caller should print.
    package var warnings: [String] = []

    init(flags: [Flag]) {
        self.flags = flags
    }

    /// Whether the flag was given at all.
    package func isSet(_ name: String) -> Bool {
        last(name) != nil
    }

    /// The last value, or the default.
    package func string(_ name: String) -> String {
        last(name) ?? fallback(name)
    }

    /// The last value, or nil when the flag was not given.
    package func optional(_ name: String) -> String? {
        last(name)
    }

    package func bool(_ name: String) -> Bool {
        FlagNumbers.bool(string(name)) ?? false
    }

    /// The last value, or the default, or 0.
    package func int(_ name: String) -> Int {
        optionalInt(name) ?? (try? FlagNumbers.int(fallback(name))) ?? 0
    }

    package func optionalInt(_ name: String) -> Int? {
        guard let text = last(name) else { return nil }
        return try? FlagNumbers.int(text)
    }

    /// Every value in the order given.
    package func list(_ name: String) -> [String] {
        var values: [String] = []
        for entry in entries where entry.name == name { values.append(entry.value) }
        return values
    }

    /// The values of several list flags in the order given, as when a deprecated name feeds the same list.
    package func list(_ names: [String]) -> [String] {
        var values: [String] = []
        for entry in entries where names.contains(entry.name) { values.append(entry.value) }
        return values
    }

    /// Every value of a flag whose values may also be given as one, separated by commas.
    package func commaList(_ name: String) -> [String] {
        list(name).flatMap { value in
            value.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
    }

    private func last(_ name: String) -> String? {
        for entry in entries.reversed() where entry.name == name { return entry.value }
        return nil
    }

    private func fallback(_ name: String) -> String {
        for flag in flags where flag.long == name { return flag.defaultValue }
        return ""
    }
}
