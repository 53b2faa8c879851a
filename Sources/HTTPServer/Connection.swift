// SPDX-License-Identifier: Apache-2.0
import JSON
import Logging
import NIOCore

/// Serves one connection: request after request, until the client closes, a hijack takes it over, or it is refused.
struct Connection: Sendable {
    let responder: any Responder
    let reader: ConnectionReader
    let output: ByteOutlet
    let closing: ClosingSignal
    let gone: ClosingSignal
    let logger: Logger
    /// The name in the client's certificate; to be asked when a request has come.
    let peer: @Sendable () async -> String

    /// How much of a body that nobody wanted is read before the connection is given up instead; Go's figure.
    private static let skipLimit = 256 << 10

    func run() async {
        do {
            while var head = try await reader.nextHead() {
                head.peerName = await peer()
                guard try await serve(head) else { break }
            }
        } catch let error as RequestError {
            try? await writer(nil).writeRefusal(error)
        } catch {
            logger.debug("connection ended", metadata: ["error": "\(error)"])
        }
        await linger()
    }

    /// Answers one request. False if the connection is not to be used again.
    private func serve(_ head: RequestHead) async throws -> Bool {
        let writer = writer(head)
        if head.expectsContinue { await reader.beforeBody { try await writer.writeContinue() } }
        let body = RequestBody(isAnnounced: head.framing != .none, announcedLength: head.framing.length) { [reader] in
            try await reader.nextBody()
        }
        let response = await responder.respond(to: head, body: body)
        return try await write(response, headers: [], to: head, by: writer)
    }

    private func writer(_ head: RequestHead?) -> ResponseWriter {
        ResponseWriter(
            output: output, omitsBody: head?.method == "HEAD", minorVersion: head?.minorVersion ?? 1,
            commonHeaders: responder.commonHeaders)
    }

    private func write(
        _ response: Response, headers: [(name: String, value: String)], to head: RequestHead, by writer: ResponseWriter
    ) async throws -> Bool {
        switch response {
        case .with(let more, let inner):
            return try await write(inner, headers: headers + more, to: head, by: writer)
        case .json(let status, let value):
            return try await finish(
                status, "application/json", headers, value.bytes() + [10], to: head, by: writer)
        case .text(let status, let text):
            return try await finish(
                status, "text/plain; charset=utf-8", headers, Array(text.utf8), to: head, by: writer)
        case .bytes(let status, let contentType, let body):
            return try await finish(status, contentType, headers, body, to: head, by: writer)
        case .empty(let status):
            return try await finish(status, nil, headers, [], to: head, by: writer)
        case .sized(let status, let contentType, let length, let produce):
            let canGoOn = await skipBody() && head.keepsAlive
            try await writer.writeSizedHead(
                status, contentType: contentType, length: length, headers: headers, keepsAlive: canGoOn)
            if !writer.omitsBody { try await stream(produce, by: writer, isChunked: false) }
            return canGoOn
        case .stream(let status, let contentType, let produce):
            let keepsAlive = head.keepsAlive
            try await writer.writeStreamHead(status, contentType: contentType, headers: headers, keepsAlive: keepsAlive)
            try await stream(produce, by: writer, isChunked: writer.isChunked)
            return await skipBody() && keepsAlive && writer.isChunked
        case .hijack(let contentType, let serve):
            _ = await skipBody()
            await reader.startRaw()
            try await writer.writeHijackHead(contentType: contentType, upgrades: head.wantsUpgrade)
            try await serve(HijackedStream(reader: reader, output: output, gone: gone))
            return false
        case .upgrade(let fields, let serve):
            _ = await skipBody()
            await reader.startRaw()
            try await writer.writeUpgradeHead(fields)
            try await serve(HijackedStream(reader: reader, output: output, gone: gone))
            return false
        }
    }

    private func finish(
        _ status: Status, _ contentType: String?, _ headers: [(name: String, value: String)], _ body: [UInt8],
        to head: RequestHead, by writer: ResponseWriter
    ) async throws -> Bool {
        let canGoOn = await skipBody() && head.keepsAlive
        try await writer.write(status, contentType: contentType, headers: headers, body: body, keepsAlive: canGoOn)
        return canGoOn
    }

    /// Reads what the handler has left of the body. False if that is too much or broken: then this answer is the last.
    private func skipBody() async -> Bool { (try? await reader.skipBody(limit: Self.skipLimit)) ?? false }

    /// Runs `produce` until it is done or the client has gone.
    private func stream(
        _ produce: @escaping @Sendable (any BodyWriter) async throws -> Void, by writer: ResponseWriter,
        isChunked: Bool
    ) async throws {
        let body = StreamBodyWriter(output: output, isChunked: isChunked, isDiscarding: writer.omitsBody)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await produce(body)
                return true
            }
            group.addTask { [closing] in
                await closing.wait()
                return false
            }
            let isDone = try await group.next() ?? false
            group.cancelAll()
            if !isDone { throw CancellationError() }
        }
        try await body.finish()
    }

    /// Closes our side first and waits a moment for the client to close its own: closing a socket with unread bytes
    /// in it resets it, and the client could lose the end of our answer.
    private func linger() async {
        await output.finish()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [reader] in _ = try? await reader.drain() }
            group.addTask { _ = try? await Task.sleep(for: .seconds(1)) }
            await group.next()
            group.cancelAll()
        }
    }
}
