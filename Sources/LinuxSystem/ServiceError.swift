// SPDX-License-Identifier: Apache-2.0

/// What kind of failure crosses a wire; text is for people. Maps once to a gRPC code, an HTTP status and an exit code.
package enum ErrorKind: String, Sendable, Equatable {
    case notFound
    case alreadyExists
    case invalidArgument
    case conflict
    case failedPrecondition
    case unauthenticated
    case permissionDenied
    case unavailable
    case notModified
    case unimplemented
    case cancelled
    case deadlineExceeded
    case `internal`
}

/// A failure of a service or store with its kind.
package struct ServiceError: Error, Sendable, Equatable {
    package var kind: ErrorKind
    package var message: String

    package init(_ kind: ErrorKind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}

#if !SWRUN_EMBEDDED
    extension ServiceError: CustomStringConvertible {}
#endif
