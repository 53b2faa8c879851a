// SPDX-License-Identifier: Apache-2.0
package import Flags
package import GoTemplate
import JSON

/// Prints the rows of a list command as a table, as JSON lines or through the user's template.
package struct ListFormat {
    /// What `table` alone means.
    package var defaultTable: String
    /// Column titles by field.
    package var titles: [(field: String, title: String)]
    /// What the error of a template that cannot be read, or not be filled in, begins with.
    package var refusals = (parsing: "template parsing error: ", execution: "template parsing error: ")

    package init(_ columns: [(field: String, title: String)], others: [(field: String, title: String)] = []) {
        defaultTable = "table " + columns.map { "{{." + $0.field + "}}" }.joined(separator: "\t")
        titles = columns + others
    }

    /// - Parameter format: `table`, `table TEMPLATE`, `json` or a template.
    package func render(_ format: String, _ rows: [TemplateRecord]) throws -> String {
        var source = format == "table" || format.isEmpty ? defaultTable : format
        let isTable = source.hasPrefix("table")
        if isTable { source = String(source.dropFirst(5)).trimmed }
        if source == "json" { source = "{{json .}}" }
        let template: Template
        do throws(TemplateError) { template = try Template(ListFormat.expandingEscapes(source)) } catch {
            throw CommandFailure(refusals.parsing + error.message)
        }
        do throws(TemplateError) {
            var lines: [String] = []
            for row in rows { lines.append(try template.render(.record(row))) }
            if isTable { lines.insert(try header(template), at: 0) }
            if lines.isEmpty { return "" }
            let text = lines.joined(separator: "\n") + "\n"
            return isTable ? TabWriter().align(text) : text
        } catch {
            throw CommandFailure(refusals.execution + error.message)
        }
    }

    private func header(_ template: Template) throws(TemplateError) -> String {
        let record = TemplateRecord(
            typeName: "header", fields: titles.map { ($0.field, .string($0.title)) },
            method: { [titles] name, arguments in
                // `.Label "x"` is titled by its argument.
                if let argument = arguments.first { return .string(argument) }
                return titles.contains { $0.field == name } ? nil : .string("<no value>")
            })
        return try template.render(.record(record), headerMode: true)
    }

    /// The two-character sequences `\t` and `\n`, which shells hand over as they are.
    static func expandingEscapes(_ text: String) -> String {
        var out: [UInt8] = []
        var bytes = Array(text.utf8)[...]
        while let byte = bytes.popFirst() {
            if byte == UInt8(ascii: "\\"), let next = bytes.first,
                next == UInt8(ascii: "t") || next == UInt8(ascii: "n")
            {
                out.append(next == UInt8(ascii: "t") ? 9 : 10)
                bytes.removeFirst()
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

extension Flag {
    /// `--format` of list commands.
    package static var listFormat: Flag {
        .string(
            "format",
            """
            How to print each entry:
            'table'            columns under titles (default)
            'table TEMPLATE'   the columns of a Go template under their titles
            'json'             one JSON object per line
            'TEMPLATE'         a Go template, e.g. '{{.ID}}'
            """)
    }

    /// `-f/--format` of commands that show one object.
    package static var inspectFormat: Flag {
        .string(
            "format", short: "f",
            """
            How to print the result:
            'json'       JSON on one line
            'TEMPLATE'   a Go template, e.g. '{{.ID}}' or '{{json .}}'
            """)
    }

    /// The same flag without its short name.
    package var withoutShort: Flag {
        var flag = self
        flag.short = ""
        return flag
    }
}
