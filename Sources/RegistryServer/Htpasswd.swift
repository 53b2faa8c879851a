// SPDX-License-Identifier: Apache-2.0
import CCrypt
import ContentStore
import JSON
package import LinuxSystem
import OCISpec
import Synchronization
import Threads

/// The users of a file that htpasswd(1) has written, with bcrypt (`htpasswd -B`).
package final class Htpasswd: Sendable {
    private let hashes: [String: String]
    /// Digests of the user names and passwords that were right: bcrypt takes its time, and a push is many requests.
    private let accepted = Mutex<Set<Digest>>([])
    /// Two threads: whoever guesses passwords keeps no more of the machine busy.
    private let pool = BlockingPool(threads: 2)

    package init(_ file: FilePath) throws {
        var hashes: [String: String] = [:]
        for line in try readText(file).split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, Self.isBcrypt(parts[1]) else {
                throw ServiceError(
                    .invalidArgument, "\(file.string): expected user:hash lines with bcrypt, as htpasswd -B writes them"
                )
            }
            hashes[String(parts[0])] = String(parts[1])
        }
        self.hashes = hashes
    }

    private static func isBcrypt(_ hash: Substring) -> Bool {
        hash.utf8.count == 60 && ["$2y$", "$2b$", "$2a$"].contains { hash.hasPrefix($0) }
    }

    /// Whether the value of an `Authorization` field has a user's name and password (RFC 7617).
    package func accept(authorization: String?) async -> Bool {
        guard let text = authorization, text.lowercased().hasPrefix("basic "),
            let bytes = Base64.decode(String(text.dropFirst("basic ".utf8.count))), !bytes.contains(0)
        else { return false }
        let digest = Digest.sha256(of: bytes)
        if accepted.withLock({ $0.contains(digest) }) { return true }
        let pair = bytes.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        guard pair.count == 2 else { return false }
        let hash = hashes[String(decoding: pair[0], as: UTF8.self)]
        let password = String(decoding: pair[1], as: UTF8.self)
        // An unknown user takes as long as a wrong password.
        let isRight = try? await pool.run { Self.matches(password, hash ?? Self.nobody) && hash != nil }
        guard isRight == true else { return false }
        accepted.withLock { _ = $0.insert(digest) }
        return true
    }

    private static let nobody = "$2y$10$" + String(repeating: "a", count: 53)

    /// crypt_r(3), with the salt and the cost of `hash`.
    private static func matches(_ password: String, _ hash: String) -> Bool {
        let data = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
        defer { data.deallocate() }
        data.initialize(to: crypt_data())
        guard let result = crypt_r(password, hash, data) else { return false }
        let (left, right) = (Array(String(cString: result).utf8), Array(hash.utf8))
        return left.count == right.count && zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
