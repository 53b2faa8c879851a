// SPDX-License-Identifier: Apache-2.0

/// How a daemon on TCP is spoken to with TLS.
package struct TLSOptions: Sendable, Equatable {
    /// The path of the certificates that the daemon's must be signed by; nil for those that the system trusts.
    package var authority: String?
    /// Our certificate and its key; nil if there is none.
    package var certificate: String?
    package var key: String?
    /// Whether the daemon's certificate counts at all.
    package var verifies: Bool

    package init(authority: String? = nil, certificate: String? = nil, key: String? = nil, verifies: Bool) {
        self.authority = authority
        self.certificate = certificate
        self.key = key
        self.verifies = verifies
    }
}
