// SPDX-License-Identifier: Apache-2.0

/// The flags of one command, and the parser for its command line.
///
/// The grammar is that of docker's CLI: `--name value`, `--name=value`, bundles of short flags (`-it`), short flags
/// with glued values (`-e=K=V`, `-n5`), booleans with `=false`, `--` before arguments that look like flags. The
/// `go` style is that of runc and containerd's shims instead: one or two dashes are the same, no bundles, and flags
/// end at the first argument, or go on between arguments where `isInterspersed` says so (what is no flag of the command
/// then is an argument).
package struct FlagSet: Sendable {
    package enum Style: Sendable {
        case posix
        case go
    }

    package var flags: [Flag]
    package var style: Style
    /// Whether everything after the first argument belongs to another program (`run`, `exec`).
    package var stopsAtFirstArgument: Bool

    package init(
        _ flags: [Flag], style: Style = .posix, stopsAtFirstArgument: Bool = false, isInterspersed: Bool = false
    ) {
        self.flags = flags
        self.style = style
        self.stopsAtFirstArgument = stopsAtFirstArgument || (style == .go && !isInterspersed)
    }

    /// Reads `arguments` (without the program's or command's name). The first mistake is thrown.
    package func parse(_ arguments: [String]) throws(FlagError) -> FlagValues {
        var values = FlagValues(flags: flags)
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            let bytes = Array(argument.utf8)
            let isFlag =
                style == .posix || values.arguments.isEmpty || argument == "--" || goFlag(bytes)?.flag != nil
            guard bytes.count > 1, bytes[0] == UInt8(ascii: "-"), isFlag else {
                values.arguments.append(argument)
                if stopsAtFirstArgument { break }
                continue
            }
            if argument == "--" {
                values.argumentsBeforeDashes = values.arguments.count
                break
            }
            switch style {
            case .go: try parseGo(bytes, arguments, &index, &values)
            case .posix where bytes[1] == UInt8(ascii: "-"): try parseLong(bytes, arguments, &index, &values)
            case .posix: try parseShort(bytes[1...], arguments, &index, &values)
            }
        }
        values.arguments += arguments[index...]
        return values
    }

    private func flag(long name: String) -> Flag? {
        for flag in flags where flag.long == name { return flag }
        return nil
    }

    private func flag(short letter: String) -> Flag? {
        for flag in flags where flag.short == letter { return flag }
        return nil
    }

    private func parseLong(
        _ bytes: [UInt8], _ arguments: [String], _ index: inout Int, _ values: inout FlagValues
    ) throws(FlagError) {
        let (name, given) = splitAtEquals(bytes[2...])
        let argument = text(bytes[...])
        if name.isEmpty || bytes[2] == UInt8(ascii: "-") { throw .badSyntax(argument: argument) }
        guard let flag = flag(long: name) else { throw .unknown(name: name) }
        if let given {
            try store(given, for: flag, in: &values)
        } else if flag.kind == .bool {
            try store("true", for: flag, in: &values)
        } else if index < arguments.count {
            index += 1
            try store(arguments[index - 1], for: flag, in: &values)
        } else {
            throw .missingValue(text: argument)
        }
    }

    private func parseShort(
        _ bundle: ArraySlice<UInt8>, _ arguments: [String], _ index: inout Int, _ values: inout FlagValues
    ) throws(FlagError) {
        var rest = bundle
        while let first = rest.first {
            let letter = text([first])
            guard let flag = flag(short: letter) else { throw .unknownShort(letter: letter, in: text(rest)) }
            let tail = rest.dropFirst()
            if tail.count > 1, tail.first == UInt8(ascii: "=") {
                return try store(text(tail.dropFirst()), for: flag, in: &values)
            }
            if flag.kind == .bool {
                try store("true", for: flag, in: &values)
                rest = tail
                continue
            }
            if !tail.isEmpty { return try store(text(tail), for: flag, in: &values) }
            guard index < arguments.count else { throw .missingValue(text: "'" + letter + "' in -" + text(rest)) }
            index += 1
            return try store(arguments[index - 1], for: flag, in: &values)
        }
    }

    /// The flag that an argument with one or two dashes names, if there is one; nil if it is badly written.
    private func goFlag(_ bytes: [UInt8]) -> (name: String, value: String?, flag: Flag?)? {
        guard bytes.count > 1 else { return nil }
        let dashes = bytes[1] == UInt8(ascii: "-") ? 2 : 1
        let (name, given) = splitAtEquals(bytes[dashes...])
        if name.isEmpty || bytes[dashes] == UInt8(ascii: "-") { return nil }
        return (name, given, flag(long: name) ?? flag(short: name))
    }

    private func parseGo(
        _ bytes: [UInt8], _ arguments: [String], _ index: inout Int, _ values: inout FlagValues
    ) throws(FlagError) {
        guard let (name, given, found) = goFlag(bytes) else { throw .badSyntax(argument: text(bytes[...])) }
        guard let flag = found else { throw .unknownInGoStyle(name: name) }
        var value = given ?? "true"
        if given == nil, flag.kind != .bool {
            guard index < arguments.count else { throw .missingValue(text: "-" + name) }
            value = arguments[index]
            index += 1
        }
        if flag.refusal(of: value) != nil {
            throw .invalidInGoStyle(value: value, name: name, isBool: flag.kind == .bool)
        }
        values.entries.append(.init(name: flag.long, value: value))
    }

    private func store(_ value: String, for flag: Flag, in values: inout FlagValues) throws(FlagError) {
        if let reason = flag.refusal(of: value) {
            throw .invalidValue(value: value, flag: flag.displayName, reason: reason)
        }
        if let advice = flag.deprecation {
            values.warnings.append("Flag --" + flag.long + " has been deprecated, " + advice)
        }
        values.entries.append(.init(name: flag.long, value: value))
    }
}

private func splitAtEquals(_ bytes: ArraySlice<UInt8>) -> (name: String, value: String?) {
    guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")) else { return (text(bytes), nil) }
    return (text(bytes[..<equals]), text(bytes[(equals + 1)...]))
}

private func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
}
