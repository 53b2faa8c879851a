// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
package import GRPCCore
import LinuxSystem
import TTRPC

/// The supervisor's handler table as one gRPC service: every method gets the same encoded messages as over ttrpc, so
/// that there is one implementation and no generated code for either protocol.
package struct HandlerTableService: RegistrableRPCService {
    private let table: RPCHandlerTable

    package init(_ table: RPCHandlerTable) { self.table = table }

    package func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        for (name, handler) in table.handlers {
            router.registerHandler(
                forMethod: MethodDescriptor(fullyQualifiedService: name.service, method: name.method),
                deserializer: BytesCoder(), serializer: BytesCoder()
            ) { request, _ in
                let context = RPCContext(
                    service: name.service, method: name.method, metadata: entries(request.metadata))
                return try await answer(request, handler, context)
            }
        }
    }
}

private func answer(
    _ request: StreamingServerRequest<[UInt8]>, _ handler: AsyncTTRPC.RPCHandler, _ context: RPCContext
) async throws -> StreamingServerResponse<[UInt8]> {
    switch handler {
    case .unary(let body):
        do {
            var messages = request.messages.makeAsyncIterator()
            let response = try await body(try await messages.next() ?? [], context)
            return StreamingServerResponse(single: ServerResponse(message: response))
        } catch {
            throw RPCError(describing: error)
        }
    case .stream(let body):
        return StreamingServerResponse { writer in
            do {
                let stream = RPCServerStream(messages: messages(request)) { try await writer.write($0) }
                try await body(stream, context)
                return [:]
            } catch {
                throw RPCError(describing: error)
            }
        }
    }
}

/// The client's messages, pulled one by one: what is not asked for stays in HTTP/2's flow control.
private func messages(_ request: StreamingServerRequest<[UInt8]>) -> AsyncThrowingStream<[UInt8], any Error> {
    let source = MessageSource(request.messages)
    return AsyncThrowingStream { try await source.next() }
}

private actor MessageSource {
    private var iterator: RPCAsyncSequence<[UInt8], any Error>.AsyncIterator?
    private let messages: RPCAsyncSequence<[UInt8], any Error>

    init(_ messages: RPCAsyncSequence<[UInt8], any Error>) { self.messages = messages }

    func next() async throws -> [UInt8]? {
        var current = iterator ?? messages.makeAsyncIterator()
        iterator = nil
        defer { iterator = current }
        return try await current.next(isolation: self)
    }
}

private func entries(_ metadata: Metadata) -> [RPCMetadata] {
    metadata.compactMap { entry in
        guard case .string(let value) = entry.value else { return nil }
        return RPCMetadata(entry.key.lowercased(), value)
    }
}

extension RPCError {
    /// The one mapping from what services throw to gRPC's codes.
    fileprivate init(describing error: any Error) {
        if let error = error as? RPCError {
            self = error
            return
        }
        let status = RPCStatus(describing: error)
        let code = Status.Code(rawValue: Int(status.code.rawValue)).flatMap { RPCError.Code($0) }
        self.init(code: code ?? .unknown, message: status.message)
    }
}

/// Messages go through as they are.
private struct BytesCoder: MessageSerializer, MessageDeserializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }

    func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] {
        bytes.withUnsafeBytes { [UInt8]($0) }
    }
}
