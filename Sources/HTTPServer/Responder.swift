// SPDX-License-Identifier: Apache-2.0

/// What answers the requests of a server: it is handed each head, with a body to read, and what it returns goes out.
package protocol Responder: Sendable {
    /// Fields of every response.
    var commonHeaders: [(name: String, value: String)] { get }

    func respond(to head: RequestHead, body: RequestBody) async -> Response
}
