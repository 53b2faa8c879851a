// SPDX-License-Identifier: Apache-2.0
import JSON

/// Walks the tree of a template and collects its output.
struct TemplateExecutor {
    let template: Template
    let headerMode: Bool
    private let omitted: Template.OmittedMember
    private(set) var output = ""
    private var variables: [(name: String, value: TemplateValue)]
    private var includeDepth = 0

    /// What a list of nodes asks of the loop around it.
    private enum Flow {
        case next
        case leaveLoop
        case continueLoop
    }

    init(
        template: Template, data: TemplateValue, headerMode: Bool, omitted: @escaping Template.OmittedMember
    ) {
        self.template = template
        self.omitted = omitted
        self.headerMode = headerMode
        variables = [("$", data)]
    }

    mutating func run(_ nodes: [TemplateNode], dot: TemplateValue) throws(TemplateError) {
        _ = try walk(nodes, dot)
    }

    // MARK: Statements

    private mutating func walk(_ nodes: [TemplateNode], _ dot: TemplateValue) throws(TemplateError) -> Flow {
        for node in nodes {
            let flow = try step(node, dot)
            if flow != .next { return flow }
        }
        return .next
    }

    private mutating func step(_ node: TemplateNode, _ dot: TemplateValue) throws(TemplateError) -> Flow {
        switch node {
        case .text(let text): output += text
        case .action(let pipeline):
            let value = try evaluate(pipeline, dot)
            if pipeline.variables.isEmpty { output += value.text }
        case .condition(let pipeline, let then, let otherwise):
            return try scoped { (me) throws(TemplateError) in
                try me.walk(try me.evaluate(pipeline, dot).isTrue ? then : otherwise, dot)
            }
        case .with(let pipeline, let body, let otherwise):
            return try scoped { (me) throws(TemplateError) in
                let value = try me.evaluate(pipeline, dot)
                return value.isTrue ? try me.walk(body, value) : try me.walk(otherwise, dot)
            }
        case .range(let pipeline, let body, let otherwise):
            return try scoped { (me) throws(TemplateError) in try me.loop(pipeline, body, otherwise, dot) }
        case .include(let name, let argument, let place): try include(name, argument, place, dot)
        case .breakLoop: return .leaveLoop
        case .continueLoop: return .continueLoop
        }
        return .next
    }

    private mutating func scoped(
        _ body: (inout TemplateExecutor) throws(TemplateError) -> Flow
    ) throws(TemplateError) -> Flow {
        let depth = variables.count
        let flow = try body(&self)
        variables.removeLast(variables.count - depth)
        return flow
    }

    private mutating func loop(
        _ pipeline: TemplatePipeline, _ body: [TemplateNode], _ otherwise: [TemplateNode], _ dot: TemplateValue
    ) throws(TemplateError) -> Flow {
        var quiet = pipeline
        quiet.variables = []
        let items = try elements(of: try evaluate(quiet, dot), pipeline.place)
        if items.isEmpty { return try walk(otherwise, dot) }
        for (key, value) in items {
            let flow = try scoped { (me) throws(TemplateError) in
                if let last = pipeline.variables.last { me.variables.append((last, value)) }
                if pipeline.variables.count == 2 { me.variables.append((pipeline.variables[0], key)) }
                return try me.walk(body, value)
            }
            if flow == .leaveLoop { break }
        }
        return .next
    }

    private func elements(
        of value: TemplateValue, _ place: TemplatePlace
    ) throws(TemplateError) -> [(TemplateValue, TemplateValue)] {
        switch value {
        case .missing, .nilList, .nilMap, .json(.null): return []
        case .list(let values): return values.enumerated().map { (.int($0.offset), $0.element) }
        case .json(.array(let values)): return values.enumerated().map { (.int($0.offset), .json($0.element)) }
        case .json(.object(let members)):
            return members.sorted { $0.key < $1.key }.map { (.string($0.key), .json($0.value)) }
        case .json(.int(let count)): return (0..<max(0, Int(count))).map { (.int($0), .int($0)) }
        default: throw failure("range can't iterate over " + value.text, place)
        }
    }

    private mutating func include(
        _ name: String, _ argument: TemplatePipeline?, _ place: TemplatePlace, _ dot: TemplateValue
    ) throws(TemplateError) {
        guard let definition = template.definitions.last(where: { $0.name == name }) else {
            throw failure("template " + quote(name) + " not defined", place)
        }
        if includeDepth >= 1000 { throw failure("exceeded maximum template depth (1000)", place) }
        var data = TemplateValue.missing
        if let argument { data = try evaluate(argument, dot) }
        let outer = variables
        variables = [("$", data)]
        includeDepth += 1
        _ = try walk(definition.body, data)
        includeDepth -= 1
        variables = outer
    }

    // MARK: Expressions

    private mutating func evaluate(
        _ pipeline: TemplatePipeline, _ dot: TemplateValue
    ) throws(TemplateError) -> TemplateValue {
        var value: TemplateValue?
        for call in pipeline.calls { value = try evaluate(call, dot, piped: value) }
        let result = value ?? .missing
        for name in pipeline.variables {
            if pipeline.isAssignment, let index = variables.lastIndex(where: { $0.name == name }) {
                variables[index].value = result
            } else {
                variables.append((name, result))
            }
        }
        return result
    }

    private mutating func evaluate(
        _ call: TemplateCall, _ dot: TemplateValue, piped: TemplateValue?
    ) throws(TemplateError) -> TemplateValue {
        let first = call.operands[0]
        let rest = Array(call.operands.dropFirst())
        if case .function(let name) = first.base, first.fields.isEmpty {
            return try evaluate(function: name, rest, piped, call, dot)
        }
        var arguments: [TemplateValue] = []
        for operand in rest { arguments.append(try evaluate(operand, dot)) }
        if let piped { arguments.append(piped) }
        return try evaluate(first, dot, arguments: arguments)
    }

    private mutating func evaluate(
        function name: String, _ operands: [TemplateOperand], _ piped: TemplateValue?, _ call: TemplateCall,
        _ dot: TemplateValue
    ) throws(TemplateError) -> TemplateValue {
        var arguments: [TemplateValue] = []
        for operand in operands {
            let value = try evaluate(operand, dot)
            arguments.append(value)
            // `and` and `or` leave the rest alone once the answer is known.
            if name == "and", !value.isTrue { return value }
            if name == "or", value.isTrue { return value }
        }
        if let piped { arguments.append(piped) }
        if headerMode, TemplateFunctions.keepsHeader(name) {
            guard case .json(.string(let title)) = arguments.last else { return .string("") }
            return .string(title)
        }
        do throws(TemplateFunctions.Failure) {
            return try TemplateFunctions.call(name, arguments)
        } catch {
            switch error {
            case .arguments(let text): throw failure(text, call.place)
            case .failed(let text): throw failure("error calling " + name + ": " + text, call.place)
            }
        }
    }

    private mutating func evaluate(
        _ operand: TemplateOperand, _ dot: TemplateValue, arguments: [TemplateValue] = []
    ) throws(TemplateError) -> TemplateValue {
        var value: TemplateValue
        switch operand.base {
        case .dot: value = dot
        case .variable(let name): value = variables.last { $0.name == name }?.value ?? .missing
        case .literal(let literal): value = literal
        case .nilLiteral: throw failure("nil is not a command", operand.place)
        case .pipeline(let pipeline): value = try evaluate(pipeline, dot)
        case .function(let name):
            value = try evaluate(function: name, [], nil, .init(operands: [operand], place: operand.place), dot)
        }
        for (index, field) in operand.fields.enumerated() {
            let isLast = index == operand.fields.count - 1
            value = try self.field(field, of: value, isLast ? arguments : [], operand.place)
        }
        if operand.fields.isEmpty, !arguments.isEmpty {
            throw failure("can't give argument to non-function " + operand.place.text, operand.place)
        }
        return value
    }

    private func field(
        _ name: String, of value: TemplateValue, _ arguments: [TemplateValue], _ place: TemplatePlace
    ) throws(TemplateError) -> TemplateValue {
        switch value {
        case .record(let record):
            if let result = record.method?(name, arguments.map(\.text)) { return .json(result) }
            if let result = record.field(name) { return .json(result) }
        case .json(.object(let members)):
            let found = value.asJSON[name]
            if let found, found != .null { return .json(found) }
            if let value = omitted(name, value.asJSON) ?? found.map({ .json($0) }) { return value }
            if members.looksLikeStruct, name.startsLikeGoField {
                throw failure("map has no entry for key " + quote(name), place)
            }
            return .missing
        case .nilMap: return .missing
        case .missing, .json(.null):
            throw failure("nil pointer evaluating interface {}." + name, place)
        default: break
        }
        throw failure("can't evaluate field " + name + " in type " + value.typeName, place)
    }

    /// An error in Go's form.
    private func failure(_ reason: String, _ place: TemplatePlace) -> TemplateError {
        let before = template.source.utf8.prefix(place.offset)
        let line = 1 + before.count { $0 == UInt8(ascii: "\n") }
        let column = before.reversed().prefix { $0 != UInt8(ascii: "\n") }.count
        return TemplateError(
            message: "template: :\(line):\(column): executing \"\" at <" + place.text + ">: " + reason,
            isParseError: false)
    }
}
