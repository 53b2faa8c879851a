// SPDX-License-Identifier: Apache-2.0

/// A user's credentials for one registry, out of `X-Registry-Auth`.
package struct RegistryCredentials: Sendable, Equatable {
    package var username = ""
    package var secret = ""
    /// A refresh token instead of name and password.
    package var isIdentityToken = false

    package init() {}

    package var isEmpty: Bool { secret.isEmpty }
}
