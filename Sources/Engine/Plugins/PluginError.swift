// SPDX-License-Identifier: Apache-2.0

/// Why a plugin did not do what it was asked.
struct PluginError: Error, Sendable, Equatable {
    enum Reason: Sendable, Equatable {
        /// There is no plugin of this name.
        case notFound
        /// It is something else than what was looked for.
        case unsuitable
        /// No answer came.
        case unreachable
        /// It said no, or what nobody understands; with the status of the answer.
        case refused(status: Int)
    }

    var reason: Reason
    var message: String

    init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }

    /// The plugin does not know the method.
    var isUnknownMethod: Bool { reason == .refused(status: 404) }
}

extension EngineError {
    /// A failed look-up of a plugin, in docker's words.
    init(_ error: PluginError) {
        switch error.reason {
        case .notFound: self.init(.notFound, error.message)
        default: self.init(.internal, "legacy plugin: " + error.message)
        }
    }
}
