// SPDX-License-Identifier: Apache-2.0

/// What went wrong with a network, an endpoint or a published port. The kinds are the ones that cross wires; the text
/// is docker's where docker has one.
package struct NetworkError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        case notFound, alreadyExists, invalidArgument, conflict, permissionDenied, unimplemented, `internal`
    }

    package var kind: Kind
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}
