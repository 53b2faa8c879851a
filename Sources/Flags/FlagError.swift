// SPDX-License-Identifier: Apache-2.0

/// A command line that the flags do not allow. `message` is the text that users of docker and runc know.
package enum FlagError: Error, Sendable, Equatable {
    case unknown(name: String)
    case unknownShort(letter: String, in: String)
    case missingValue(text: String)
    case badSyntax(argument: String)
    case invalidValue(value: String, flag: String, reason: String)
    /// As Go's own flag package names flags: one dash.
    case unknownInGoStyle(name: String)
    case invalidInGoStyle(value: String, name: String, isBool: Bool)

    package var message: String {
        switch self {
        case .unknown(let name): "unknown flag: --" + name
        case .unknownShort(let letter, let bundle): "unknown shorthand flag: '" + letter + "' in -" + bundle
        case .missingValue(let text): "flag needs an argument: " + text
        case .badSyntax(let argument): "bad flag syntax: " + argument
        case .invalidValue(let value, let flag, let reason):
            "invalid argument " + quoted(value) + " for " + quoted(flag) + " flag: " + reason
        case .unknownInGoStyle(let name): "flag provided but not defined: -" + name
        case .invalidInGoStyle(let value, let name, true):
            "invalid boolean value " + quoted(value) + " for -" + name + ": parse error"
        case .invalidInGoStyle(let value, let name, false):
            "invalid value " + quoted(value) + " for flag -" + name + ": parse error"
        }
    }
}

/// `text` in double quotes with the escapes of Go's `%q` that can occur in an argument.
package func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": out += "\\\""
        case "\\": out += "\\\\"
        case "\n": out += "\\n"
        case "\t": out += "\\t"
        case "\r": out += "\\r"
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out + "\""
}
