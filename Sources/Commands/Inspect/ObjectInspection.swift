// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import GoTemplate
import JSON

/// What all inspect commands share: gather the objects, print them as one JSON array or one by one through a template,
/// and tell what was not found at the end.
struct ObjectInspection {
    let call: Invocation
    /// Instead of the arguments.
    var names: [String]?

    func show(_ find: (String) throws -> JSONValue) throws {
        let template = try parsedTemplate()
        var objects: [JSONValue] = []
        var failures: [String] = []
        for name in names ?? call.arguments {
            do { objects.append(try find(name)) } catch let error as ClientError {
                if error.status == nil { throw error }
                failures.append(error.message)
            } catch let failure as CommandFailure {
                failures.append(failure.message)
            }
        }
        try print(objects, template)
        if !failures.isEmpty { throw CommandFailure(failures.joined(separator: "\n")) }
    }

    private func parsedTemplate() throws -> Template? {
        let format = call.flags.string("format")
        if format.isEmpty || format == "json" { return nil }
        do throws(TemplateError) { return try Template(ListFormat.expandingEscapes(format)) } catch {
            throw CommandFailure("template parsing error: " + error.message, exitCode: 64)
        }
    }

    private func print(_ objects: [JSONValue], _ template: Template?) throws {
        guard let template else {
            let format = call.flags.string("format") == "json" ? JSONFormat() : JSONFormat(indent: 4)
            if objects.isEmpty { return call.output.line("[]") }
            return call.output.line(JSONValue.array(objects).serialized(format))
        }
        for object in objects {
            do throws(TemplateError) {
                call.output.line(try template.render(.json(object), omitted: InspectDefaults.value))
            } catch {
                call.output.line("")
                throw CommandFailure("template parsing error: " + error.message)
            }
        }
        if objects.isEmpty { call.output.line("") }
    }
}
