// SPDX-License-Identifier: Apache-2.0
import Engine

/// A version of the Engine API, `1.50`.
package struct APIVersion: Sendable, Equatable, Comparable, CustomStringConvertible {
    package var major: Int
    package var minor: Int

    package init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// `1.41`; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let major = Int(parts[0]), let minor = Int(parts[1]), major >= 0, minor >= 0 else {
            return nil
        }
        self.init(major, minor)
    }

    /// The newest version that is spoken, and what a request without a version gets.
    package static let newest = APIVersion(1, 50)
    /// The oldest one. docker 20.10 takes 1.12 and later ones 1.24; 1.22 is what skopeo's `docker-daemon:` speaks.
    package static let oldest = APIVersion(1, 22)

    package static func < (left: APIVersion, right: APIVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    package var description: String { "\(major).\(minor)" }

    /// Refuses what is too old or too new, in docker's words.
    func checkSupported() throws(EngineError) {
        if self < .oldest {
            throw .invalidArgument(
                "client version \(self) is too old. Minimum supported API version is \(APIVersion.oldest), "
                    + "please upgrade your client to a newer version")
        }
        if self > .newest {
            throw .invalidArgument(
                "client version \(self) is too new. Maximum supported API version is \(APIVersion.newest)")
        }
    }
}
