// SPDX-License-Identifier: Apache-2.0
package import HTTPServer
package import JSON

/// An answer other than success (distribution-spec, "Error Codes"): `{"errors":[{code, message, detail}]}`.
package struct APIError: Error, Sendable {
    package enum Code: String, Sendable {
        case blobUnknown = "BLOB_UNKNOWN"
        case blobUploadInvalid = "BLOB_UPLOAD_INVALID"
        case blobUploadUnknown = "BLOB_UPLOAD_UNKNOWN"
        case digestInvalid = "DIGEST_INVALID"
        case manifestBlobUnknown = "MANIFEST_BLOB_UNKNOWN"
        case manifestInvalid = "MANIFEST_INVALID"
        case manifestUnknown = "MANIFEST_UNKNOWN"
        case nameInvalid = "NAME_INVALID"
        case nameUnknown = "NAME_UNKNOWN"
        case sizeInvalid = "SIZE_INVALID"
        case unauthorized = "UNAUTHORIZED"
        case unsupported = "UNSUPPORTED"
        /// Docker's registry has the following two, the specification has none for their cases.
        case paginationInvalid = "PAGINATION_NUMBER_INVALID"
        case unknown = "UNKNOWN"

        /// The status, and the text that clients print: those of docker's registry.
        var meaning: (status: Int, message: String) {
            switch self {
            case .blobUnknown: (404, "blob unknown to registry")
            case .blobUploadInvalid: (400, "blob upload invalid")
            case .blobUploadUnknown: (404, "blob upload unknown to registry")
            case .digestInvalid: (400, "provided digest did not match uploaded content")
            case .manifestBlobUnknown: (400, "blob unknown to registry")
            case .manifestInvalid: (400, "manifest invalid")
            case .manifestUnknown: (404, "manifest unknown")
            case .nameInvalid: (400, "invalid repository name")
            case .nameUnknown: (404, "repository name not known to registry")
            case .sizeInvalid: (400, "provided length did not match content length")
            case .unauthorized: (401, "authentication required")
            case .unsupported: (405, "The operation is unsupported.")
            case .paginationInvalid: (400, "invalid number of results requested")
            case .unknown: (500, "unknown error")
            }
        }
    }

    package var code: Code
    package var status: Status
    /// One error for each; a code that needs none has one null.
    package var details: [JSONValue]
    package var headers: [(name: String, value: String)]

    /// - Parameter status: nil for the code's own.
    package init(
        _ code: Code, _ detail: JSONValue = .null, status: Status? = nil,
        headers: [(name: String, value: String)] = []
    ) {
        self.init(code, details: [detail], status: status, headers: headers)
    }

    package init(
        _ code: Code, details: [JSONValue], status: Status? = nil, headers: [(name: String, value: String)] = []
    ) {
        self.code = code
        self.status = status ?? Status(code.meaning.status)
        self.details = details
        self.headers = headers
    }
}
