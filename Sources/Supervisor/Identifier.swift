// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// containerd's rule for names of namespaces, containers, execs and leases: they become names of files and cgroups.
enum Identifier {
    static let maximumLength = 76

    /// Letters and digits, with single `.`, `_` or `-` between them.
    static func validate(_ name: String, what: String) throws(ServiceError) {
        guard !name.isEmpty else { throw ServiceError(.invalidArgument, "\(what) must not be empty") }
        guard name.utf8.count <= maximumLength else {
            throw ServiceError(
                .invalidArgument,
                "\(what) \"\(name)\" is longer than the maximum of \(maximumLength) characters")
        }
        var previousIsSeparator = true
        for byte in name.utf8 {
            let isSeparator = byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            guard isAlphanumeric(byte) || (isSeparator && !previousIsSeparator) else { throw malformed(name, what) }
            previousIsSeparator = isSeparator
        }
        if previousIsSeparator { throw malformed(name, what) }
    }

    private static func malformed(_ name: String, _ what: String) -> ServiceError {
        ServiceError(
            .invalidArgument, "\(what) \"\(name)\" must be letters and digits, with single . _ - between them")
    }
}
