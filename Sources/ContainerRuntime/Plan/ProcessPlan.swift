// SPDX-License-Identifier: Apache-2.0
package import Confinement
package import OCISpec

/// A process to start in a container: its init, or one that is added to it.
package struct ProcessPlan: Sendable, Equatable {
    package var args: [String]
    package var environment: [String]
    package var cwd: String
    package var hasTerminal: Bool
    package var consoleSize: RuntimeProcess.ConsoleSize?
    package var confinement: ProcessConfinement
    package var limits: [ResourceLimit] = []
    package var umask: UInt32
    package var oomScoreAdjustment: Int32?
    package var apparmorProfile: String
    package var selinuxLabel: String
    /// Capability names that mean nothing to us: worth a warning.
    package var unknownCapabilities: [String] = []

    package init(_ process: RuntimeProcess) throws(RuntimeError) {
        if process.cwd.isEmpty { throw RuntimeError("Cwd property must not be empty") }
        if process.cwd.utf8.first != UInt8(ascii: "/") { throw RuntimeError("Cwd must be an absolute path") }
        if process.args.isEmpty { throw RuntimeError("args must not be empty") }
        if process.user.uid > maximumID || process.user.gid > maximumID {
            throw RuntimeError("process.user: ids must be in range 0-\(maximumID)")
        }
        args = process.args
        environment = process.environment
        cwd = process.cwd
        hasTerminal = process.hasTerminal
        consoleSize = process.consoleSize
        umask = process.user.umask ?? 0o022
        oomScoreAdjustment = process.oomScoreAdjustment
        apparmorProfile = process.apparmorProfile == "unconfined" ? "" : process.apparmorProfile
        selinuxLabel = process.selinuxLabel
        confinement = ProcessConfinement()
        confinement.uid = process.user.uid
        confinement.gid = process.user.gid
        confinement.groups = process.user.additionalGroups
        confinement.noNewPrivileges = process.noNewPrivileges
        if let names = process.capabilities {
            confinement.capabilities = CapabilitySets(names, unknown: &unknownCapabilities)
        }
        for limit in process.limits {
            limits.append(try valid { () throws(RuntimeSpecError) in try ResourceLimit(limit) })
        }
    }

    /// Whether a security module has to be told something.
    package var hasLabels: Bool { !apparmorProfile.isEmpty || !selinuxLabel.isEmpty }

    /// The value of a variable; the last one counts, as in execvp(3).
    package func variable(_ name: String) -> String? {
        let prefix = name + "="
        guard let found = environment.last(where: { $0.hasPrefix(prefix) }) else { return nil }
        return String(found.dropFirst(prefix.count))
    }
}

private let maximumID: UInt32 = 2_147_483_647
