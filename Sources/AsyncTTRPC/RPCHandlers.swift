// SPDX-License-Identifier: Apache-2.0
package import TTRPC

/// What a handler knows of its call beside the message.
package struct RPCContext: Sendable {
    package var service: String
    package var method: String
    package var metadata: [RPCMetadata]

    package init(service: String, method: String, metadata: [RPCMetadata]) {
        self.service = service
        self.method = method
        self.metadata = metadata
    }

    /// The value of the first metadata entry with this key.
    package func metadata(_ key: String) -> String? { metadata.first { $0.key == key }?.value }
}

/// The server's side of a stream: what the client sends, and a way to answer.
package struct RPCServerStream: Sendable {
    /// The request first if the client sent it with the call; ends at the client's half-close.
    package let messages: AsyncThrowingStream<[UInt8], any Error>
    package let send: @Sendable ([UInt8]) async throws -> Void

    package init(
        messages: AsyncThrowingStream<[UInt8], any Error>, send: @escaping @Sendable ([UInt8]) async throws -> Void
    ) {
        self.messages = messages
        self.send = send
    }
}

/// How a method is answered; both kinds see encoded messages.
package enum RPCHandler: Sendable {
    case unary(@Sendable ([UInt8], RPCContext) async throws -> [UInt8])
    case stream(@Sendable (RPCServerStream, RPCContext) async throws -> Void)
}

/// Which methods a server has, whatever the transport: the same table serves ttrpc and gRPC.
package struct RPCHandlerTable: Sendable {
    /// A method's full name, as both protocols have it.
    package struct MethodName: Hashable, Sendable {
        package var service: String
        package var method: String

        package init(service: String, method: String) {
            self.service = service
            self.method = method
        }
    }

    package private(set) var handlers: [MethodName: RPCHandler] = [:]

    package init() {}

    package mutating func add(_ service: String, _ method: String, _ handler: RPCHandler) {
        handlers[MethodName(service: service, method: method)] = handler
    }

    func handler(_ request: RPCRequest) -> RPCHandler? {
        handlers[MethodName(service: request.service, method: request.method)]
    }
}
