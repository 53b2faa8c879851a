// SPDX-License-Identifier: Apache-2.0
package import Networking

extension EngineError {
    package init(_ error: NetworkError) {
        let kind: ErrorKind =
            switch error.kind {
            case .notFound: .notFound
            case .alreadyExists: .alreadyExists
            case .invalidArgument: .invalidArgument
            case .conflict: .conflict
            case .permissionDenied: .permissionDenied
            case .unimplemented: .unimplemented
            case .internal: .internal
            }
        self.init(kind, error.message)
    }
}
