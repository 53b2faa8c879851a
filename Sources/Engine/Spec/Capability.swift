// SPDX-License-Identifier: Apache-2.0

/// Linux capabilities by name, and how docker's `--cap-add` and `--cap-drop` choose among them.
package enum Capability {
    /// By kernel number (linux/capability.h): the index is the bit in CapBnd.
    package static let names: [String] = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
        "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
        "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
        "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
        "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
        "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ]

    /// What a container has unless told otherwise: docker's 14.
    package static let defaults: [String] = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
        "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL",
        "CAP_AUDIT_WRITE",
    ]

    /// The names in a mask as /proc/PID/status shows it; bits that have no name here are left out.
    package static func names(inMask mask: UInt64) -> [String] {
        names.indices.filter { mask & (1 << UInt64($0)) != 0 }.map { names[$0] }
    }

    /// `net_admin`, `NET_ADMIN` and `CAP_NET_ADMIN` are the same; `ALL` stays `ALL`.
    static func normalize(_ given: String) throws(SpecError) -> String {
        let upper = given.uppercased()
        if upper == "ALL" { return upper }
        let name = upper.hasPrefix("CAP_") ? upper : "CAP_" + upper
        guard names.contains(name) else {
            throw SpecError("unknown capability: \"\(name)\"")
        }
        return name
    }

    /// The capabilities of a container that is not privileged.
    ///
    /// - Parameter available: what the daemon itself has; `ALL` cannot give more.
    package static func select(add: [String], drop: [String], available: [String]) throws(SpecError) -> [String] {
        var added: [String] = []
        for name in add { added.append(try normalize(name)) }
        var dropped: [String] = []
        for name in drop { dropped.append(try normalize(name)) }
        if added.contains("ALL") {
            return available.filter { !dropped.contains($0) }
        }
        if dropped.contains("ALL") { return unique(added) }
        return unique(defaults.filter { !dropped.contains($0) } + added)
    }

    private static func unique(_ names: [String]) -> [String] {
        var seen: [String] = []
        for name in names where !seen.contains(name) { seen.append(name) }
        return seen
    }
}

/// A request that no runtime spec can be made of; the text is for the user.
package struct SpecError: Error, Sendable, Equatable {
    package enum Kind: Sendable { case invalid, unsupported, conflict, other }
    package var kind: Kind
    package var message: String

    package init(_ message: String, _ kind: Kind = .invalid) {
        self.message = message
        self.kind = kind
    }
}
