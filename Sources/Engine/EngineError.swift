// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import LinuxSystem
import Networking
import OCISpec
import TTRPC

/// What kind of thing went wrong. Kinds cross a wire, texts are for people: EngineHTTP maps each kind to one HTTP
/// status, `SupervisorConnection` maps gRPC codes to kinds.
package enum ErrorKind: String, Sendable, Equatable, CaseIterable {
    case notFound
    case alreadyExists
    case invalidArgument
    case failedPrecondition
    case conflict
    case unauthenticated
    case permissionDenied
    case unavailable
    case notModified
    case unimplemented
    case cancelled
    case deadlineExceeded
    case `internal`
}

/// Why a service of the engine did not do what was asked, in docker's words where docker has some.
package struct EngineError: Error, Sendable, Equatable, CustomStringConvertible {
    package var kind: ErrorKind
    package var message: String

    package init(_ kind: ErrorKind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package init(kind: ErrorKind, message: String) { self.init(kind, message) }

    /// Whatever was thrown, as an error of the engine: a `SysError` becomes an internal one with its whole text.
    package init(_ error: any Error) {
        switch error {
        case let error as EngineError: self = error
        case let error as NetworkError: self.init(error)
        case let error as SysError: self.init(.internal, error.description)
        case let error as RPCStatus: self.init(error)
        case let error as FilterError: self.init(.invalidArgument, error.message)
        case let error as ImageSpecError: self.init(.invalidArgument, error.message)
        case let error as ContainerState.IllegalTransition:
            self.init(.conflict, "the container is \(ContainerState(phase: error.from).name) by now: try again")
        case let error as ServiceError: self.init(ErrorKind(rawValue: error.kind.rawValue) ?? .internal, error.message)
        case is CancellationError: self.init(.cancelled, "the operation was cancelled")
        default: self.init(.internal, String(describing: error))
        }
    }

    package var description: String { message }

    // MARK: Short forms

    package static func notFound(_ message: String) -> EngineError { EngineError(.notFound, message) }
    package static func invalidArgument(_ message: String) -> EngineError { EngineError(.invalidArgument, message) }
    package static func conflict(_ message: String) -> EngineError { EngineError(.conflict, message) }
    package static func unimplemented(_ message: String) -> EngineError { EngineError(.unimplemented, message) }
    package static func notModified() -> EngineError { EngineError(.notModified, "") }
    package static func `internal`(_ message: String) -> EngineError { EngineError(.internal, message) }
}
