// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import JSON

extension APIError {
    /// What goes out.
    var response: Response {
        let errors = details.map { detail in
            JSONValue.object([
                .init("code", .string(code.rawValue)), .init("message", .string(code.meaning.message)),
                .init("detail", detail),
            ])
        }
        return .with(headers: headers, .json(status, ["errors": .array(errors)]))
    }
}
