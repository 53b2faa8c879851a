// SPDX-License-Identifier: Apache-2.0

/// One command-line flag: its names, what kind of value it takes and what the help says about it.
///
/// Build flags with the static functions (`.bool("rm", "…")`) and refine them with the modifiers
/// (`.list("net-alias", "…").hiding()`); both return values.
package struct Flag: Sendable {
    /// How a value is checked and counted. Everything richer (sizes, durations, mounts) is a string with a `check`.
    package enum Kind: Sendable, Equatable {
        case bool
        case string
        case int
        case uint
        case uint16
        /// May be given several times; every occurrence is kept.
        case list
    }

    /// The text after "flag:" in the error for a value that the flag does not take; nil when the value is fine.
    package typealias Check = @Sendable (_ value: String) -> String?

    package var long: String
    /// One ASCII letter, or empty.
    package var short: String
    package var kind: Kind
    package var help: String
    /// What the help prints after the name; `list`, `string`, … by default.
    package var valueName: String
    /// What the flag is when it is not given; empty means nothing.
    package var defaultValue: String
    /// What `(default …)` in the help shows when that is not the default value itself.
    package var shownDefault: String?
    package var isHidden = false
    /// Advice for users of a flag that is going away; such a flag is hidden and warns when used.
    package var deprecation: String?
    package var check: Check?

    package init(
        _ long: String, short: String = "", kind: Kind, valueName: String, defaultValue: String = "", help: String
    ) {
        self.long = long
        self.short = short
        self.kind = kind
        self.valueName = valueName
        self.defaultValue = defaultValue
        self.help = help
    }
}

extension Flag {
    package static func bool(_ long: String, short: String = "", default value: Bool = false, _ help: String) -> Flag {
        Flag(long, short: short, kind: .bool, valueName: "", defaultValue: value ? "true" : "", help: help)
    }

    package static func string(_ long: String, short: String = "", default value: String = "", _ help: String) -> Flag {
        Flag(long, short: short, kind: .string, valueName: "string", defaultValue: value, help: help)
    }

    package static func int(_ long: String, short: String = "", default value: Int? = nil, _ help: String) -> Flag {
        let text = value.map { "\($0)" } ?? ""
        return Flag(long, short: short, kind: .int, valueName: "int", defaultValue: text, help: help)
    }

    package static func uint(_ long: String, short: String = "", _ help: String) -> Flag {
        Flag(long, short: short, kind: .uint, valueName: "uint", help: help)
    }

    package static func list(_ long: String, short: String = "", _ help: String) -> Flag {
        Flag(long, short: short, kind: .list, valueName: "list", help: help)
    }

    /// A value of a type of its own, checked when it is parsed.
    package static func value(
        _ long: String, short: String = "", named valueName: String, repeats: Bool = false, _ help: String,
        check: Check? = nil
    ) -> Flag {
        var flag = Flag(long, short: short, kind: repeats ? .list : .string, valueName: valueName, help: help)
        flag.check = check
        return flag
    }
}

extension Flag {
    /// Accepted, but not in the help.
    package func hiding() -> Flag {
        var flag = self
        flag.isHidden = true
        return flag
    }

    /// Accepted with a warning: `Flag --x has been deprecated, <advice>`.
    package func deprecating(_ advice: String) -> Flag {
        var flag = self
        flag.isHidden = true
        flag.deprecation = advice
        return flag
    }

    /// Shows `(default text)` in the help.
    package func showing(default text: String) -> Flag {
        var flag = self
        flag.shownDefault = text
        return flag
    }

    /// Checks each value as it is parsed.
    package func checking(_ check: @escaping Check) -> Flag {
        var flag = self
        flag.check = check
        return flag
    }

    /// `-m, --memory` or `--memory`: how errors name the flag.
    var displayName: String {
        short.isEmpty ? "--" + long : "-" + short + ", --" + long
    }

    /// The `(default …)` of the help, or nil when there is nothing worth saying.
    var defaultNote: String? {
        if let shownDefault { return shownDefault }
        if defaultValue.isEmpty { return nil }
        return kind == .string ? "\"" + defaultValue + "\"" : defaultValue
    }
}
