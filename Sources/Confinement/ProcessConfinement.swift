// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// Who a process is and what it may do: applied by the process to itself, right before it runs its program. A step
/// that fails ends the start; nothing is skipped.
///
/// The order matters: the bounding set shrinks while CAP_SETPCAP is still there; the filter is loaded while
/// CAP_SYS_ADMIN is still there, unless `noNewPrivileges` allows loading it last; groups come before the user.
package struct ProcessConfinement: Sendable, Equatable {
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    package var groups: [UInt32] = []
    /// None at all, unless some are asked for.
    package var capabilities = CapabilitySets()
    package var noNewPrivileges = false
    /// The groups of who starts it stay: where the kernel lets nobody change them.
    package var keepsGroups = false

    package init() {}

    /// Everything but a filter that is loaded last. `filter` is loaded here if there is no `noNewPrivileges`.
    package func apply(
        filter: SeccompFilter?, onListening: (CInt) throws(SysError) -> Void
    ) throws(SysError) {
        // A host may lack capabilities itself.
        let sets = capabilities.limited(to: try CapabilityMasks.current().permitted)
        if noNewPrivileges {
            try Privileges.setNoNewPrivileges()
        } else if let filter {
            try filter.load(onListening: onListening)
        }
        try shrinkBoundingSet(to: sets.bounding)
        try changeUser()
        try set(sets)
    }

    /// The part of the filter's job that `apply` leaves for the last moment.
    package func finish(
        filter: SeccompFilter?, onListening: (CInt) throws(SysError) -> Void
    ) throws(SysError) {
        if noNewPrivileges, let filter { try filter.load(onListening: onListening) }
    }

    private func shrinkBoundingSet(to bounding: UInt64) throws(SysError) {
        for number in UInt(0)..<64 where bounding & (1 << UInt64(number)) == 0 {
            do throws(SysError) { try Privileges.dropFromBoundingSet(number) } catch {
                if error.errno == .invalidArgument { break }  // the kernel knows no more capabilities
                throw error
            }
        }
    }

    private func changeUser() throws(SysError) {
        try Privileges.keepCapabilities(true)
        if !keepsGroups || !groups.isEmpty { try Privileges.setGroups(groups) }
        try Privileges.setGroup(gid)
        try Privileges.setUser(uid)
        try Privileges.keepCapabilities(false)
    }

    private func set(_ sets: CapabilitySets) throws(SysError) {
        try CapabilityMasks(
            effective: sets.effective, permitted: sets.permitted, inheritable: sets.inheritable
        ).apply()
        try Privileges.clearAmbientSet()
        for number in UInt(0)..<64 where sets.ambient & (1 << UInt64(number)) != 0 {
            try Privileges.raiseAmbient(number)
        }
    }
}
