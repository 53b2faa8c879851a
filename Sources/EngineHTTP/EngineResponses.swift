// SPDX-License-Identifier: Apache-2.0
package import HTTPServer
import JSON

extension Response {
    /// docker's error body.
    package static func message(_ status: Status, _ text: String) -> Response {
        .json(status, ["message": .string(text)])
    }

    /// The status, and the body where it is a document, for those who are asked whether it may go out.
    var outline: (status: Int, body: [UInt8]) {
        switch self {
        case .json(let status, let value): (status.code, value.bytes())
        case .with(_, let inner): inner.outline
        default: (status.code, [])
        }
    }
}
