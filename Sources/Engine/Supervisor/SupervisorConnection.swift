// SPDX-License-Identifier: Apache-2.0
import AsyncTTRPC
import ContainerdAPI
package import LinuxSystem
package import Logging
package import SwiftProtobuf
package import TTRPC

/// The engine's line to the supervisor: containerd's services over ttrpc, one connection for all calls.
///
/// A supervisor that restarts is invisible to callers, save for the time it takes: a call waits up to ten seconds for
/// a connection. A call that was under way when the connection broke is repeated only if that cannot do harm
/// (`isIdempotent`), otherwise it fails with `unavailable`.
///
/// The functions for each service are in extensions, one file for each.
package actor SupervisorConnection {
    private static let patience = Duration.seconds(10)
    private static let pause = Duration.milliseconds(50)

    /// The ttrpc socket.
    package nonisolated let socket: FilePath
    /// containerd's namespace of all that is ours.
    package nonisolated let namespace: String
    nonisolated let logger: Logger
    private var client: TTRPCClient?

    /// - Parameter address: the supervisor's gRPC socket; the ttrpc socket lies beside it.
    package init(address: FilePath, namespace: String, logger: Logger) {
        self.socket = FilePath(address.string + ".ttrpc")
        self.namespace = namespace
        self.logger = logger
    }

    /// One unary call, e.g. `call("containerd.services.tasks.v1.Tasks", "Start", request)`.
    ///
    /// - Parameter hints: metadata that a supervisor may know, beside what every call has.
    package func call<Request: Message, Response: Message>(
        _ service: String, _ method: String, _ request: Request, isIdempotent: Bool = false,
        hints: [RPCMetadata] = [], returning: Response.Type = Response.self
    ) async throws -> Response {
        let metadata = metadata + hints
        while true {
            let client = try await connected()
            do {
                return try await client.call(service: service, method: method, request, metadata: metadata)
            } catch let failure as RPCStatus {
                if failure.code == .unavailable, client.isClosed, isIdempotent { continue }
                throw EngineError(failure)
            }
        }
    }

    /// A call whose answer is a stream. It fails when the connection breaks.
    func serverStream<Request: Message, Response: Message>(
        _ service: String, _ method: String, _ request: Request, returning: Response.Type = Response.self
    ) async throws -> TTRPCMessages<Response> {
        let client = try await connected()
        return try client.serverStream(service: service, method: method, request, metadata: metadata)
    }

    func bidirectionalStream<Request: Message, Response: Message>(
        _ service: String, _ method: String, sending: Request.Type = Request.self,
        returning: Response.Type = Response.self
    ) async throws -> TTRPCBidirectionalStream<Request, Response> {
        try await connected().bidirectionalStream(service: service, method: method, metadata: metadata)
    }

    private nonisolated var metadata: [RPCMetadata] {
        [RPCMetadata("containerd-namespace-ttrpc", namespace)]
            + (CurrentLease.id.map { [RPCMetadata("containerd-lease", $0)] } ?? [])
    }

    /// The connection, made anew if the last one has ended.
    private func connected() async throws -> TTRPCClient {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            if let client, !client.isClosed { return client }
            do throws(SysError) {
                let client = try TTRPCClient.connect(path: socket, tellsCancellation: true)
                self.client = client
                return client
            } catch {
                if ContinuousClock.now >= deadline {
                    throw EngineError(.unavailable, "cannot connect to the supervisor: \(error.description)")
                }
            }
            try await Task.sleep(for: Self.pause)
        }
    }

    /// Whether the supervisor answers right now.
    package func isServing() async -> Bool {
        guard let client = try? TTRPCClient.connect(path: socket) else { return false }
        defer { client.close() }
        let answer: Containerd_Services_Version_V1_VersionResponse? = try? await client.call(
            service: "containerd.services.version.v1.Version", method: "Version", Google_Protobuf_Empty(),
            timeout: .seconds(5))
        return answer != nil
    }

    /// Version and revision of the supervisor.
    package func version() async throws -> (version: String, revision: String) {
        let answer: Containerd_Services_Version_V1_VersionResponse = try await call(
            "containerd.services.version.v1.Version", "Version", Google_Protobuf_Empty(), isIdempotent: true)
        return (answer.version, answer.revision)
    }
}

extension EngineError {
    /// The one place where a gRPC code becomes a kind.
    init(_ failure: RPCStatus) {
        let kind: ErrorKind =
            switch failure.code {
            case .notFound: .notFound
            case .alreadyExists: .alreadyExists
            case .invalidArgument, .outOfRange: .invalidArgument
            case .failedPrecondition, .aborted: .failedPrecondition
            case .permissionDenied: .permissionDenied
            case .unauthenticated: .unauthenticated
            case .unavailable: .unavailable
            case .unimplemented: .unimplemented
            case .cancelled: .cancelled
            case .deadlineExceeded: .deadlineExceeded
            case .ok, .unknown, .resourceExhausted, .internal, .dataLoss: .internal
            }
        self.init(kind, failure.message)
    }
}
