// SPDX-License-Identifier: Apache-2.0
import HTTPServer
import JSON
import OCISpec

/// One request as a handler sees it.
struct RegistryRequest: Sendable {
    let head: RequestHead
    let query: Query
    let body: RequestBody
    let parameters: [(name: String, value: String)]

    typealias Handler = @Sendable (RegistryRequest) async throws -> Response

    /// What the route's pattern matched for `{name}`; every handler asks for names of its own pattern only.
    func parameter(_ name: String) -> String { parameters.first { $0.name == name }?.value ?? "" }

    func repository() throws(APIError) -> RepositoryName { try RepositoryName(parameter("name")) }

    func digest() throws(APIError) -> Digest { try Digest(checking: parameter("digest")) }

    /// `?n=` and `?last=` of a list.
    func page() throws(APIError) -> Page {
        var count: Int?
        if let text = query.get("n") {
            guard let number = Int(text), number >= 0 else { throw APIError(.paginationInvalid, ["n": .string(text)]) }
            count = number
        }
        return Page(count: count, last: query.get("last") ?? "")
    }

    /// The field that leads to the rest of a list (RFC 8288).
    func nextPage(_ page: Page, last: String, _ more: String = "") -> (name: String, value: String) {
        let count = page.count.map { "&n=\($0)" } ?? ""
        return ("Link", "<\(head.path)?last=\(last)\(count)\(more)>; rel=\"next\"")
    }

    /// Whether the client has the content of `digest` already (RFC 9110 §13.1.2).
    func has(_ digest: Digest) -> Bool {
        head.headers.all("If-None-Match").flatMap { $0.split(separator: ",") }
            .contains { trimmed(String($0)) == "\"\(digest.string)\"" }
    }
}

/// The fields that tell which content this is.
func contentFields(_ digest: Digest) -> [(name: String, value: String)] {
    [("Docker-Content-Digest", digest.string), ("ETag", "\"\(digest.string)\"")]
}
