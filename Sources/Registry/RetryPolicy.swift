// SPDX-License-Identifier: Apache-2.0

/// How often and after which pauses something is tried again: five times by default, 0.25 s, 1 s, 4 s and then 16 s
/// apart, or as long as the registry asks for in `Retry-After`, up to a minute.
struct RetryPolicy: Sendable {
    static let attempts = 5
    private static let longestPauseSeconds = 60
    private static let longestDoubling = 3

    private let attempts: Int
    private var failures = 0

    /// - Parameter attempts: how often it is tried at the most.
    init(attempts: Int = RetryPolicy.attempts) { self.attempts = attempts }

    /// The pause before the next try after `error`; nil if there is to be none: it would not help, there were enough, or
    /// the registry wants us to come back much later.
    mutating func pause(after error: any Error) -> Duration? {
        failures += 1
        guard failures < attempts, let error = error as? RegistryError, error.isTransient else { return nil }
        if case .refused(_, _, _, let seconds?) = error {
            return seconds <= Self.longestPauseSeconds ? .seconds(max(0, seconds)) : nil
        }
        return .milliseconds(250 << (2 * min(failures - 1, Self.longestDoubling)))
    }

    /// Counts a failure after which the next try follows at once; false if there were enough.
    mutating func countFailure() -> Bool {
        failures += 1
        return failures < attempts
    }

    /// Progress was made: the failures before it no longer count.
    mutating func reset() { failures = 0 }

    /// Runs `body` until it succeeds or no further try is due.
    static func run<R>(_ body: () async throws -> R) async throws -> R {
        var policy = RetryPolicy()
        while true {
            do { return try await body() } catch {
                try Task.checkCancellation()
                guard let pause = policy.pause(after: error) else { throw error }
                try await Task.sleep(for: pause)
            }
        }
    }
}
