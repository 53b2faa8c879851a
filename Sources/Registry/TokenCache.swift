// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Synchronization

/// Bearer tokens that are still good, shared by all sessions of a client: the second pull needs no token server. A token
/// is found only with the credentials that it was given for.
final class TokenCache: Sendable {
    struct Key: Hashable, Sendable {
        var endpoint: RegistryEndpoint
        var realm: String
        var service: String
        var scopes: [String]
        var credentials: RegistryCredentials?
    }

    private struct Entry {
        var token: String
        /// CLOCK_MONOTONIC in nanoseconds.
        var expiresAt: Int64
    }

    private let entries = Mutex<[Key: Entry]>([:])
    private static let capacity = 256

    /// A token for the key other than `rejected`, which a registry has just refused.
    func token(_ key: Key, except rejected: String?, now: Int64 = monotonicNanoseconds()) -> String? {
        entries.withLock { entries in
            guard let entry = entries[key] else { return nil }
            guard entry.expiresAt > now, "Bearer " + entry.token != rejected else {
                entries[key] = nil
                return nil
            }
            return entry.token
        }
    }

    /// - Parameter lifetimeSeconds: what the server said; a tenth of it is kept in reserve.
    func keep(_ token: String, for key: Key, lifetimeSeconds: Int64, now: Int64 = monotonicNanoseconds()) {
        let lifetime = min(max(lifetimeSeconds, 0), 86400) * 900_000_000
        entries.withLock { entries in
            if entries.count >= Self.capacity { entries = entries.filter { $0.value.expiresAt > now } }
            if entries.count >= Self.capacity { entries.removeAll() }
            entries[key] = Entry(token: token, expiresAt: now + lifetime)
        }
    }
}
