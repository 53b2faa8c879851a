// SPDX-License-Identifier: Apache-2.0
import JSON

/// `eq ne lt le gt ge`: only basic values of the same kind can be compared.
enum TemplateComparison {
    private enum Basic {
        case bool(Bool)
        case number(Double, exact: Int64?)
        case string(String)
        case null
    }

    static func compare(_ name: String, _ arguments: [TemplateValue]) throws(TemplateFunctions.Failure) -> Bool {
        guard arguments.count >= 2 else {
            if name == "eq", arguments.count == 1 { throw .failed("missing argument for comparison") }
            throw .arguments("wrong number of args for " + name + ": want 2 got \(arguments.count)")
        }
        if name == "eq" {
            for other in arguments.dropFirst() where try equal(arguments[0], other) { return true }
            return false
        }
        if name == "ne" { return try !equal(arguments[0], arguments[1]) }
        let isLess = try less(arguments[0], arguments[1])
        switch name {
        case "lt": return isLess
        case "ge": return !isLess
        case "le": return isLess ? true : try equal(arguments[0], arguments[1])
        default: return isLess ? false : try !equal(arguments[0], arguments[1])
        }
    }

    private static func equal(_ left: TemplateValue, _ right: TemplateValue) throws(TemplateFunctions.Failure) -> Bool {
        switch (try basic(left), try basic(right)) {
        case (.bool(let a), .bool(let b)): return a == b
        case (.string(let a), .string(let b)): return a == b
        case (.number(let a, let exactA), .number(let b, let exactB)):
            if let exactA, let exactB { return exactA == exactB }
            return a == b
        case (.null, .null): return true
        case (.null, _), (_, .null): return false
        default: throw .failed("incompatible types for comparison")
        }
    }

    private static func less(_ left: TemplateValue, _ right: TemplateValue) throws(TemplateFunctions.Failure) -> Bool {
        switch (try basic(left), try basic(right)) {
        case (.string(let a), .string(let b)): return a < b
        case (.number(let a, let exactA), .number(let b, let exactB)):
            if let exactA, let exactB { return exactA < exactB }
            return a < b
        case (.bool, .bool), (.null, .null): throw .failed("invalid type for comparison")
        default: throw .failed("incompatible types for comparison")
        }
    }

    private static func basic(_ value: TemplateValue) throws(TemplateFunctions.Failure) -> Basic {
        switch value {
        case .missing, .json(.null): return .null
        case .json(.bool(let flag)): return .bool(flag)
        case .json(.int(let number)): return .number(Double(number), exact: number)
        case .json(.number(let text)): return .number(Double(text) ?? 0, exact: nil)
        case .json(.string(let text)): return .string(text)
        default: throw .failed("invalid type for comparison")
        }
    }
}
