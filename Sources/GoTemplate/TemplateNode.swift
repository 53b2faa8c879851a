// SPDX-License-Identifier: Apache-2.0

/// A piece of a parsed template.
indirect enum TemplateNode: Sendable {
    case text(String)
    case action(TemplatePipeline)
    case condition(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])
    case range(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode])
    case with(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode])
    case include(name: String, argument: TemplatePipeline?, place: TemplatePlace)
    case breakLoop
    case continueLoop
}

/// `$x := a | b c`: calls whose results flow to the right, and the variables that take the last one.
struct TemplatePipeline: Sendable {
    var variables: [String] = []
    /// `=` rather than `:=`.
    var isAssignment = false
    var calls: [TemplateCall] = []
    var place: TemplatePlace
}

/// A function or field with its arguments, or a single operand.
struct TemplateCall: Sendable {
    var operands: [TemplateOperand]
    var place: TemplatePlace
}

struct TemplateOperand: Sendable {
    indirect enum Base: Sendable {
        case dot
        case variable(String)
        case function(String)
        case literal(TemplateValue)
        case nilLiteral
        case pipeline(TemplatePipeline)
    }

    var base: Base
    /// `.A.B` behind the base.
    var fields: [String] = []
    var place: TemplatePlace
}

/// Where in the template something is, for error messages.
struct TemplatePlace: Sendable {
    /// Byte offset in the whole template.
    var offset: Int
    /// The source text.
    var text: String
}
