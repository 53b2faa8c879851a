// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem
package import TTRPC

extension RPCStatus {
    /// What goes over the wire for an error that a handler threw.
    package init(describing error: any Error) {
        switch error {
        case let status as RPCStatus: self = status
        case let error as ServiceError: self.init(RPCCode(error.kind), error.message)
        case let error as SysError: self.init(RPCCode(error.errno), error.description)
        case is CancellationError: self.init(.cancelled, "call cancelled")
        default: self.init(.unknown, "\(error)")
        }
    }
}

extension RPCCode {
    /// The one mapping from kinds to codes.
    package init(_ kind: ErrorKind) {
        self =
            switch kind {
            case .notFound: .notFound
            case .alreadyExists: .alreadyExists
            case .invalidArgument: .invalidArgument
            case .conflict: .aborted
            case .failedPrecondition, .notModified: .failedPrecondition
            case .unauthenticated: .unauthenticated
            case .permissionDenied: .permissionDenied
            case .unavailable: .unavailable
            case .unimplemented: .unimplemented
            case .cancelled: .cancelled
            case .deadlineExceeded: .deadlineExceeded
            case .internal: .internal
            }
    }

    /// A system call's failure says more about us than about the request, with few exceptions.
    init(_ errno: Errno) {
        self =
            switch errno {
            case .noSpace: .resourceExhausted
            case .notSupported, .notImplemented: .unimplemented
            default: .internal
            }
    }
}

extension ErrorKind {
    /// The kind that a code stands for at the client's side.
    package init(_ code: RPCCode) {
        self =
            switch code {
            case .notFound: .notFound
            case .alreadyExists: .alreadyExists
            case .invalidArgument, .outOfRange: .invalidArgument
            case .aborted: .conflict
            case .failedPrecondition: .failedPrecondition
            case .unauthenticated: .unauthenticated
            case .permissionDenied: .permissionDenied
            case .unavailable: .unavailable
            case .unimplemented: .unimplemented
            case .cancelled: .cancelled
            case .deadlineExceeded: .deadlineExceeded
            case .ok, .unknown, .resourceExhausted, .internal, .dataLoss: .internal
            }
    }
}
