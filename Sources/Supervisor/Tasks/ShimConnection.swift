// SPDX-License-Identifier: Apache-2.0
import AsyncTTRPC
import ContainerdAPI
import LinuxSystem
import SwiftProtobuf
import Synchronization
import TTRPC

/// A running shim as its clients see it: the Task service over its one connection.
///
/// Waits are shared: however many clients wait for a process, the shim has one call pending for it.
final class ShimConnection: Sendable {
    typealias Exit = Containerd_Task_V2_WaitResponse

    static let service = "containerd.task.v2.Task"

    let bundle: Bundle
    private let client: TTRPCClient
    private let waits = Mutex<[String: Task<Exit, any Error>]>([:])

    init(_ bundle: Bundle, client: TTRPCClient) {
        self.bundle = bundle
        self.client = client
    }

    /// Connects to a shim that serves `socket`.
    static func connect(_ bundle: Bundle, socket: FilePath) throws(SysError) -> ShimConnection {
        ShimConnection(bundle, client: try TTRPCClient.connect(path: socket))
    }

    func onClose(_ body: @escaping @Sendable () -> Void) { client.onClose(body) }

    func close() { client.close() }

    /// One call of the Task service.
    func call<Request: Message, Response: Message>(
        _ method: String, _ request: Request, timeout: Duration? = nil, returning: Response.Type = Response.self
    ) async throws -> Response {
        let metadata = [RPCMetadata("containerd-namespace-ttrpc", bundle.key.namespace)]
        return try await client.call(
            service: Self.service, method: method, request, metadata: metadata, timeout: timeout)
    }

    /// The state of init, or of the exec `execID`.
    func state(execID: String = "", timeout: Duration? = nil) async throws -> Containerd_Task_V2_StateResponse {
        try await call(
            "State",
            Containerd_Task_V2_StateRequest.with {
                $0.id = bundle.key.id
                $0.execID = execID
            }, timeout: timeout)
    }

    /// How init or an exec ended, once it has.
    func wait(execID: String) async throws -> Exit {
        let task = waits.withLock { waits in
            if let running = waits[execID] { return running }
            // Owned by `waits` until it ends, which it does at the latest when the connection does.
            let task = Task { [self] in
                defer { forgetWait(execID) }
                let request = Containerd_Task_V2_WaitRequest.with {
                    $0.id = bundle.key.id
                    $0.execID = execID
                }
                return try await call("Wait", request, returning: Exit.self)
            }
            waits[execID] = task
            return task
        }
        return try await task.value
    }

    private func forgetWait(_ execID: String) { waits.withLock { $0[execID] = nil } }
}
