// SPDX-License-Identifier: Apache-2.0
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Registry

/// A file on a web server.
enum RemoteFile {
    /// A refused connection is told at once, not tried again for a minute.
    private static let client: HTTPClient = {
        var settings = HTTPClient.Configuration.singletonConfiguration
        settings.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(configuration: settings)
    }()

    /// Opens `url` (http or https, five redirects at most); anything but success is an error in docker's words.
    ///
    /// - Returns: its bytes, and how many they are if the server says so.
    static func open(_ url: String) async throws -> (body: HTTPClientResponse.Body, size: Int64?) {
        let isAddress = url.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        guard isAddress, let authority = url.split(separator: "/").dropFirst().first else {
            throw EngineError.invalidArgument("invalid URL \"\(url)\"")
        }
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "User-Agent", value: "swrun")
        let response: HTTPClientResponse
        do { response = try await client.execute(request, timeout: .hours(1)) } catch let error as HTTPClientError
            where [.invalidURL, .emptyHost, .emptyScheme].contains(error)
        {
            throw EngineError.invalidArgument("invalid URL \"\(url)\"")
        } catch {
            let reason = TransportFailure.reason(error, authority: String(authority))
            throw EngineError.internal("Get \"\(url)\": " + reason)
        }
        guard (200..<300).contains(response.status.code) else {
            throw EngineError.internal("failed to GET \(url) with status \(response.status)")
        }
        return (response.body, response.headers.first(name: "Content-Length").flatMap { Int64($0) })
    }
}

/// The bytes of a response.
struct RemoteBytes: AsyncSequence {
    let body: HTTPClientResponse.Body
    /// Is told how many bytes there were so far: after each piece, and with `isEnd` once more.
    let report: @Sendable (_ count: Int64, _ isEnd: Bool) -> Void

    struct AsyncIterator: AsyncIteratorProtocol {
        var base: HTTPClientResponse.Body.AsyncIterator
        let report: @Sendable (Int64, Bool) -> Void
        var count: Int64 = 0

        mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
            let buffer = try await base.next(isolation: actor)
            count += Int64(buffer?.readableBytes ?? 0)
            report(count, buffer == nil)
            return buffer.map { Array($0.readableBytesView) }
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(base: body.makeAsyncIterator(), report: report) }
}
