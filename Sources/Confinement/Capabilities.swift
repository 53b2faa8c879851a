// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
package import OCISpec

/// The capabilities this program knows, by number (capabilities(7), linux/capability.h).
package let capabilityNames = [
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
    "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
]

/// The five capability sets of a process as bit masks.
package struct CapabilitySets: Sendable, Equatable {
    package var bounding: UInt64 = 0
    package var effective: UInt64 = 0
    package var inheritable: UInt64 = 0
    package var permitted: UInt64 = 0
    package var ambient: UInt64 = 0

    package init() {}

    /// Names that no kernel knows are left out, as runc does; they are in `unknown`.
    package init(_ names: RuntimeProcess.Capabilities, unknown: inout [String]) {
        bounding = mask(of: names.bounding, unknown: &unknown)
        effective = mask(of: names.effective, unknown: &unknown)
        inheritable = mask(of: names.inheritable, unknown: &unknown)
        permitted = mask(of: names.permitted, unknown: &unknown)
        ambient = mask(of: names.ambient, unknown: &unknown)
    }

    /// Without what `available` does not have: a host may lack capabilities itself. Ambient capabilities must be
    /// permitted and inheritable.
    package func limited(to available: UInt64) -> CapabilitySets {
        var sets = self
        sets.bounding &= available
        sets.permitted &= available
        sets.effective &= sets.permitted
        sets.inheritable &= available
        sets.ambient &= sets.permitted & sets.inheritable
        return sets
    }
}

extension CapabilitySets {
    /// The capabilities that are wanted as ambient ones and cannot be: a process must have them permitted and inheritable.
    package var impossibleAmbient: [String] {
        let refused = ambient & ~(permitted & inheritable)
        return capabilityNames.enumerated().filter { refused & (1 << UInt64($0.offset)) != 0 }.map { $0.element }
    }
}

/// The bit of a capability by its name, with or without `CAP_`, in any case.
package func capabilityBit(_ name: String) -> UInt64? {
    var upper = name.uppercased()
    if !upper.hasPrefix("CAP_") { upper = "CAP_" + upper }
    guard let number = capabilityNames.firstIndex(of: upper) else { return nil }
    return 1 << UInt64(number)
}

private func mask(of names: [String], unknown: inout [String]) -> UInt64 {
    var mask: UInt64 = 0
    for name in names {
        if let bit = capabilityBit(name) {
            mask |= bit
        } else if !unknown.contains(name) {
            unknown.append(name)
        }
    }
    return mask
}
