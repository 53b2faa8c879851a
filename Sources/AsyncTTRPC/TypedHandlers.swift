// SPDX-License-Identifier: Apache-2.0
package import SwiftProtobuf
import TTRPC

extension RPCHandlerTable {
    /// A method with one request and one answer.
    package mutating func unary<Request: Message, Response: Message>(
        _ service: String, _ method: String,
        _ body: @escaping @Sendable (Request, RPCContext) async throws -> Response
    ) {
        add(
            service, method,
            .unary { bytes, context in
                let response = try await body(try decodeMessage(bytes), context)
                return try response.serializedBytes()
            })
    }

    /// A method with one request and a stream of answers.
    package mutating func serverStream<Request: Message, Response: Message>(
        _ service: String, _ method: String,
        _ body:
            @escaping @Sendable (Request, RPCContext, @escaping @Sendable (Response) async throws -> Void)
            async throws -> Void
    ) {
        add(
            service, method,
            .stream { stream, context in
                var requests = stream.messages.makeAsyncIterator()
                guard let first = try await requests.next() else {
                    throw RPCStatus(.invalidArgument, "\(service)/\(method) needs a request")
                }
                try await body(try decodeMessage(first), context) { response in
                    try await stream.send(try response.serializedBytes())
                }
            })
    }

    /// A method with a stream in both directions.
    package mutating func bidirectional<Request: Message, Response: Message>(
        _ service: String, _ method: String,
        _ body:
            @escaping @Sendable (
                TTRPCMessages<Request>, RPCContext, @escaping @Sendable (Response) async throws -> Void
            ) async throws -> Void
    ) {
        add(
            service, method,
            .stream { stream, context in
                try await body(TTRPCMessages(bytes: stream.messages), context) { response in
                    try await stream.send(try response.serializedBytes())
                }
            })
    }
}
