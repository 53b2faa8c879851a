// SPDX-License-Identifier: Apache-2.0

/// What all five programs say they are.
package enum Version {
    package static let number = "0.1.0"
    /// The runtime-spec version that swrunc implements and bundles are written for.
    package static let runtimeSpec = "1.2.0"
    /// The newest runtime-spec version whose configurations swrunc takes.
    package static let newestRuntimeSpec = "1.3.0"
    /// The commit that the binary was built from; release builds replace it.
    package static let commit = "dev"
    package static let license = "Apache-2.0"
}
