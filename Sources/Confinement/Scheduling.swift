// SPDX-License-Identifier: Apache-2.0
import CLinux
package import LinuxSystem
package import OCISpec

/// When and where a process runs: what sched_setattr(2), ioprio_set(2), set_mempolicy(2) and personality(2) are told.
/// Applied by the process to itself while it still has its privileges.
package struct Scheduling: Sendable, Equatable {
    package struct Scheduler: Sendable, Equatable {
        package var policy: UInt32
        package var nice: Int32
        package var priority: UInt32
        package var flags: UInt64
        package var runtime: UInt64
        package var deadline: UInt64
        package var period: UInt64
    }

    package struct MemoryPolicy: Sendable, Equatable {
        package var mode: Int32
        /// Node 0 is the lowest bit of the first byte.
        package var nodes: [UInt8]
    }

    package var scheduler: Scheduler?
    /// The class in the bits from 13 on, the priority below.
    package var ioPriority: Int32?
    package var memoryPolicy: MemoryPolicy?
    /// PER_*
    package var personality: UInt?

    package init() {}

    package func apply() throws(SysError) {
        if let personality { try sys("personality") { swrun_personality(personality) } }
        if let memoryPolicy { try apply(memoryPolicy) }
        if let ioPriority { try sys("ioprio_set") { swrun_ioprio_set(ioPriority) } }
        guard let scheduler else { return }
        var wanted = swrun_scheduling(
            policy: scheduler.policy, nice: scheduler.nice, priority: scheduler.priority, flags: scheduler.flags,
            runtime: scheduler.runtime, deadline: scheduler.deadline, period: scheduler.period)
        try sys("sched_setattr") { swrun_sched_setattr(&wanted) }
    }

    private func apply(_ policy: MemoryPolicy) throws(SysError) {
        // The kernel takes whole words, and one more than the number of bits.
        let words = policy.nodes + [UInt8](repeating: 0, count: (8 - policy.nodes.count % 8) % 8)
        try sys("set_mempolicy") {
            words.withUnsafeBytes {
                swrun_set_mempolicy(policy.mode, $0.isEmpty ? nil : $0.baseAddress, UInt($0.count * 8 + 1))
            }
        }
    }
}

// MARK: From the spec

extension Scheduling {
    package init(_ process: RuntimeProcess) throws(RuntimeSpecError) {
        if let wanted = process.scheduler { scheduler = try Scheduler(wanted) }
        if let wanted = process.ioPriority { ioPriority = try ioPriorityNumber(wanted) }
    }
}

extension Scheduling.Scheduler {
    package init(_ spec: RuntimeProcess.Scheduler) throws(RuntimeSpecError) {
        let policies = [
            "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE",
        ]
        guard let number = policies.firstIndex(of: spec.policy) else {
            throw RuntimeSpecError("invalid scheduler policy: " + spec.policy)
        }
        if spec.nice < -20 || spec.nice > 19 { throw RuntimeSpecError("invalid scheduler.nice: \(spec.nice)") }
        if spec.priority != 0, number != 1, number != 2 {
            throw RuntimeSpecError("scheduler.priority can only be specified for SchedFIFO or SchedRR policy")
        }
        if number != 6, spec.runtime != 0 || spec.deadline != 0 || spec.period != 0 {
            throw RuntimeSpecError(
                "scheduler runtime/deadline/period can only be specified for SchedDeadline policy")
        }
        policy = UInt32(number)
        nice = spec.nice
        guard let exact = UInt32(exactly: spec.priority) else {
            throw RuntimeSpecError("invalid scheduler.priority: \(spec.priority)")
        }
        priority = exact
        (runtime, deadline, period) = (spec.runtime, spec.deadline, spec.period)
        flags = 0
        let names = [
            "RESET_ON_FORK", "RECLAIM", "DL_OVERRUN", "KEEP_POLICY", "KEEP_PARAMS", "UTIL_CLAMP_MIN", "UTIL_CLAMP_MAX",
        ].map { "SCHED_FLAG_" + $0 }
        for name in spec.flags {
            guard let bit = names.firstIndex(of: name) else {
                throw RuntimeSpecError("invalid scheduler flag: " + name)
            }
            flags |= 1 << UInt64(bit)
        }
    }
}

/// The number that ioprio_set(2) takes.
package func ioPriorityNumber(_ spec: RuntimeProcess.IOPriority) throws(RuntimeSpecError) -> Int32 {
    let classes = ["IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"]
    guard let index = classes.firstIndex(of: spec.priorityClass) else {
        throw RuntimeSpecError("invalid ioPriority.Class: \"" + spec.priorityClass + "\"")
    }
    guard (0...7).contains(spec.priority) else {
        throw RuntimeSpecError("invalid ioPriority.Priority: \(spec.priority)")
    }
    return Int32(index + 1) << 13 | Int32(spec.priority)
}

extension Scheduling.MemoryPolicy {
    /// Nil if the policy says nothing.
    package static func make(_ spec: RuntimeLinux.MemoryPolicy) throws(RuntimeSpecError) -> Scheduling.MemoryPolicy? {
        if spec.isEmpty { return nil }
        let modes = ["DEFAULT", "PREFERRED", "BIND", "INTERLEAVE", "LOCAL", "PREFERRED_MANY", "WEIGHTED_INTERLEAVE"]
        guard let mode = modes.firstIndex(where: { "MPOL_" + $0 == spec.mode }) else {
            throw RuntimeSpecError("invalid memory policy mode \"" + spec.mode + "\"")
        }
        var bits: Int32 = 0
        for name in spec.flags {
            switch name {
            case "MPOL_F_NUMA_BALANCING": bits |= 1 << 13
            case "MPOL_F_RELATIVE_NODES": bits |= 1 << 14
            case "MPOL_F_STATIC_NODES": bits |= 1 << 15
            default: throw RuntimeSpecError("invalid memory policy flag \"" + name + "\"")
            }
        }
        guard let nodes = bitMask(spec.nodes, below: 1024) else {
            throw RuntimeSpecError("invalid memory policy node specification \"" + spec.nodes + "\"")
        }
        return Scheduling.MemoryPolicy(mode: Int32(mode) | bits, nodes: nodes)
    }
}

/// The PER_* number of `linux.personality.domain`.
package func personalityNumber(_ domain: String) throws(RuntimeSpecError) -> UInt {
    switch domain {
    case "LINUX": 0
    case "LINUX32": 8
    default: throw RuntimeSpecError("invalid personality domain: " + domain)
    }
}

// MARK: Processors

/// A list such as `0-3,7` as bits, the lowest first; nil if it is something else or has a number that is not below
/// `limit`.
package func bitMask(_ list: String, below limit: Int) -> [UInt8]? {
    var mask: [UInt8] = []
    let plain = String(decoding: list.utf8.filter { $0 != UInt8(ascii: " ") }, as: UTF8.self)
    for part in plain.split(separator: ",") {
        let ends = part.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count <= 2, let first = ends.first.flatMap({ Int($0) }), let last = ends.last.flatMap({ Int($0) }),
            first >= 0, first <= last, last < limit
        else { return nil }
        for number in first...last {
            while mask.count <= number / 8 { mask.append(0) }
            mask[number / 8] |= 1 << UInt8(number % 8)
        }
    }
    return mask
}

/// The processors that a process may run on (sched_setaffinity(2)).
package enum ProcessorAffinity {
    /// Those of a mask.
    package static func set(_ mask: [UInt8]) throws(SysError) {
        try sys("sched_setaffinity") { mask.withUnsafeBytes { swrun_set_affinity($0.baseAddress, $0.count) } }
    }

    /// All that the cpuset allows, whatever the caller was restricted to.
    package static func reset() { try? set([UInt8](repeating: 0xFF, count: 1024)) }

    /// The first 64 of a mask in hexadecimal, for logs.
    package static func text(_ mask: [UInt8]) -> String {
        "0x" + String(mask.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }, radix: 16)
    }
}
