// SPDX-License-Identifier: Apache-2.0

/// A template that cannot be read, or that asks for something its data does not have. `message` has the form of Go's
/// text/template (`template: :1:2: executing "" at <.X>: …`).
package struct TemplateError: Error, Sendable, Equatable {
    package var message: String
    /// Whether the template itself is wrong, whatever the data.
    package var isParseError: Bool

    static func parse(_ reason: String, line: Int) -> TemplateError {
        TemplateError(message: "template: :\(line): " + reason, isParseError: true)
    }
}
