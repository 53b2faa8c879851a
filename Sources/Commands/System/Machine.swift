// SPDX-License-Identifier: Apache-2.0

/// What this program was built for, in Go's words.
enum Machine {
    #if arch(x86_64)
        static let architecture = "amd64"
    #elseif arch(arm64)
        static let architecture = "arm64"
    #else
        static let architecture = "unknown"
    #endif
}
