// SPDX-License-Identifier: Apache-2.0
package import Confinement
package import OCISpec

/// A process to start in a container: its init, or one that is added to it.
package struct ProcessPlan: Sendable, Equatable {
    /// Masks of processors; empty where nothing is asked for.
    package struct Affinity: Sendable, Equatable {
        package var initial: [UInt8] = []
        package var final: [UInt8] = []
    }

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
    package var scheduling = Scheduling()
    /// The processors for a process that is added to a container: until it is in the cgroup, and from then on.
    package var affinity = Affinity()
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
            if limits.contains(where: { $0.name == limit.type }) {
                throw RuntimeError("rlimit type specified multiple times: " + limit.type)
            }
            limits.append(try valid { () throws(RuntimeSpecError) in try ResourceLimit(limit) })
        }
        scheduling = try valid { () throws(RuntimeSpecError) in try Scheduling(process) }
        affinity = try ProcessPlan.affinity(process.cpuAffinity)
        try checkEnvironment()
    }

    private static func affinity(
        _ wanted: RuntimeProcess.CPUAffinity
    ) throws(RuntimeError) -> Affinity {
        guard let initial = bitMask(wanted.initial, below: 8192) else {
            throw RuntimeError("bad initial CPU affinity: " + wanted.initial)
        }
        guard let final = bitMask(wanted.final, below: 8192) else {
            throw RuntimeError("bad final CPU affinity: " + wanted.final)
        }
        return Affinity(initial: initial, final: final)
    }

    /// What the process will not have of the capabilities that are asked for, in runc's words.
    package var capabilityWarnings: [String] {
        unknownCapabilities.map { "ignoring unknown or unavailable capability: " + $0 }
            + confinement.capabilities.impossibleAmbient.map {
                "can't raise ambient capability " + $0 + ": operation not permitted"
            }
    }

    private func checkEnvironment() throws(RuntimeError) {
        for variable in environment {
            guard let equals = variable.utf8.firstIndex(of: UInt8(ascii: "=")) else {
                throw RuntimeError("invalid environment variable: missing '=': " + variable)
            }
            if equals == variable.utf8.startIndex {
                throw RuntimeError("invalid environment variable: name cannot be empty: " + variable)
            }
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
