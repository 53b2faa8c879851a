// SPDX-License-Identifier: Apache-2.0
import CLinux

/// The capability sets of a thread as bit masks (capabilities(7)).
package struct CapabilityMasks: Sendable, Equatable {
    package var effective: UInt64
    package var permitted: UInt64
    package var inheritable: UInt64

    package init(effective: UInt64, permitted: UInt64, inheritable: UInt64) {
        self.effective = effective
        self.permitted = permitted
        self.inheritable = inheritable
    }

    /// The calling thread's own.
    package static func current() throws(SysError) -> CapabilityMasks {
        var masks = CapabilityMasks(effective: 0, permitted: 0, inheritable: 0)
        try sys("capget") { swrun_capget(&masks.effective, &masks.permitted, &masks.inheritable) }
        return masks
    }

    package func apply() throws(SysError) { try sys("capset") { swrun_capset(effective, permitted, inheritable) } }
}

/// The calls that change what a process may do. Each acts on the calling thread, of which there must be one only.
package enum Privileges {
    package static func setGroups(_ groups: [UInt32]) throws(SysError) {
        try sys("setgroups") { groups.withUnsafeBufferPointer { swrun_set_groups($0.baseAddress, $0.count) } }
    }

    /// Real, effective and saved.
    package static func setGroup(_ gid: UInt32) throws(SysError) {
        try sys("setresgid", String(gid)) { swrun_set_group(gid) }
    }

    /// Real, effective and saved.
    package static func setUser(_ uid: UInt32) throws(SysError) {
        try sys("setresuid", String(uid)) { swrun_set_user(uid) }
    }

    /// Whether the permitted set survives a change of the user from root.
    package static func keepCapabilities(_ keep: Bool) throws(SysError) {
        try sys("prctl(PR_SET_KEEPCAPS)") { swrun_prctl(PR_SET_KEEPCAPS, keep ? 1 : 0, 0, 0, 0) }
    }

    /// EINVAL is for capabilities that the kernel does not know.
    package static func dropFromBoundingSet(_ capability: UInt) throws(SysError) {
        try sys("prctl(PR_CAPBSET_DROP)") { swrun_prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) }
    }

    package static func clearAmbientSet() throws(SysError) {
        try sys("prctl(PR_CAP_AMBIENT_CLEAR_ALL)") { swrun_prctl(PR_CAP_AMBIENT, 4, 0, 0, 0) }
    }

    package static func raiseAmbient(_ capability: UInt) throws(SysError) {
        try sys("prctl(PR_CAP_AMBIENT_RAISE)") { swrun_prctl(PR_CAP_AMBIENT, 2, capability, 0, 0) }
    }

    package static func setNoNewPrivileges() throws(SysError) {
        try sys("prctl(PR_SET_NO_NEW_PRIVS)") { swrun_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }
    }

    /// Keeps others in the container from opening our memory and our program through /proc until the next execve.
    package static func setNotDumpable() throws(SysError) {
        try sys("prctl(PR_SET_DUMPABLE)") { swrun_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) }
    }

    /// Loads a seccomp filter of classic BPF instructions (8 bytes each). The result is the listener's descriptor if
    /// `flags` ask for one.
    package static func loadFilter(_ program: [UInt8], flags: UInt32) throws(SysError) -> CInt {
        guard let count = UInt16(exactly: program.count / 8) else { throw SysError("seccomp", "filter", .fileTooBig) }
        return try sys("seccomp") {
            program.withUnsafeBytes { swrun_seccomp_load($0.baseAddress, count, flags) }
        }
    }

    package static func setLimit(_ resource: CInt, soft: UInt64, hard: UInt64, of pid: Int32) throws(SysError) {
        try sys("prlimit") { swrun_prlimit(pid, resource, soft, hard) }
    }

    package static func joinSessionKeyring(_ name: String) throws(SysError) {
        try sys("keyctl(KEYCTL_JOIN_SESSION_KEYRING)", name) { swrun_join_session_keyring(name) }
    }
}
