// SPDX-License-Identifier: Apache-2.0
package import JSON

/// A parsed template in the language of Go's text/template, with docker's additional functions.
package struct Template: Sendable {
    let source: String
    let nodes: [TemplateNode]
    let definitions: [(name: String, body: [TemplateNode])]

    package init(_ source: String) throws(TemplateError) {
        var parser = try TemplateParser(source)
        self.source = source
        nodes = try parser.parse()
        definitions = parser.definitions
    }

    /// What the template makes of `data`.
    ///
    /// - Parameters:
    ///   - headerMode: `data` holds column titles; functions leave them alone, except `pad`.
    ///   - omitted: the value of a member that is null, or not in an object because it is empty; nil if it knows none.
    package func render(
        _ data: TemplateValue, headerMode: Bool = false, omitted: @escaping OmittedMember = { _, _ in nil }
    ) throws(TemplateError) -> String {
        var executor = TemplateExecutor(template: self, data: data, headerMode: headerMode, omitted: omitted)
        try executor.run(nodes, dot: data)
        return executor.output
    }

    package typealias OmittedMember = (_ name: String, _ object: JSONValue) -> TemplateValue?

    package func render(_ data: JSONValue) throws(TemplateError) -> String {
        try render(.json(data))
    }
}
