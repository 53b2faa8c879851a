// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// A file on a web server.
enum RemoteFile {
    /// Opens `url` (http or https, five redirects at most); anything but success is an error in docker's words.
    static func open(_ url: String) async throws -> HTTPClientResponse.Body {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "User-Agent", value: "swrun")
        let response: HTTPClientResponse
        do { response = try await HTTPClient.shared.execute(request, timeout: .hours(1)) } catch {
            throw EngineError.internal("Get \"\(url)\": \(error)")
        }
        guard (200..<300).contains(response.status.code) else {
            throw EngineError.internal("failed to GET \(url) with status \(response.status)")
        }
        return response.body
    }
}

/// The bytes of a response.
struct RemoteBytes: AsyncSequence {
    let body: HTTPClientResponse.Body

    struct AsyncIterator: AsyncIteratorProtocol {
        var base: HTTPClientResponse.Body.AsyncIterator

        mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            guard let buffer = try await base.next(isolation: actor) else { return nil }
            return Array(buffer.readableBytesView)
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(base: body.makeAsyncIterator()) }
}
