// SPDX-License-Identifier: Apache-2.0
package import HTTPServer
import JSON

extension Response {
    /// docker's error body.
    package static func message(_ status: Status, _ text: String) -> Response {
        .json(status, ["message": .string(text)])
    }

    /// The status, the headers that it has of its own, and the body where it is a document, for those who are asked
    /// whether it may go out.
    var outline: (status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
        switch self {
        case .json(let status, let value):
            return (status.code, [("Content-Type", "application/json")], value.bytes())
        case .with(let headers, let inner):
            let outline = inner.outline
            return (outline.status, outline.headers + headers.map { ($0.0, $0.1) }, outline.body)
        default: return (status.code, [], [])
        }
    }
}
