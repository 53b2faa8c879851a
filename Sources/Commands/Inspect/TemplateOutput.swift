// SPDX-License-Identifier: Apache-2.0
import GoTemplate
import JSON

/// One object through the user's template, for `version` and `info`.
enum TemplateOutput {
    static func show(_ source: String, _ value: JSONValue, _ call: Invocation) throws {
        let template: Template
        do throws(TemplateError) { template = try Template(source) } catch {
            throw CommandFailure("template parsing error: " + error.message, exitCode: 64)
        }
        do throws(TemplateError) {
            call.output.line(try template.render(.json(value), omitted: InspectDefaults.value))
        } catch {
            call.output.line("")
            throw CommandFailure(error.message)
        }
    }
}
