// SPDX-License-Identifier: Apache-2.0

// Members of `process` that say when and where it runs (config.md, "Linux Process").
extension RuntimeProcess {
    /// The arguments of sched_setattr(2).
    package struct Scheduler: Sendable, Equatable {
        /// By its name, `SCHED_BATCH`.
        package var policy: String
        package var nice: Int32
        package var priority: Int32
        package var flags: [String]
        /// Nanoseconds, for `SCHED_DEADLINE`, as are the next two.
        package var runtime: UInt64
        package var deadline: UInt64
        package var period: UInt64

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            policy = try fields.required("policy")
            nice = try fields.integer("nice") ?? 0
            priority = try fields.integer("priority") ?? 0
            flags = try fields.strings("flags")
            runtime = try fields.integer("runtime") ?? 0
            deadline = try fields.integer("deadline") ?? 0
            period = try fields.integer("period") ?? 0
        }
    }

    /// The arguments of ioprio_set(2).
    package struct IOPriority: Sendable, Equatable {
        /// By its name, `IOPRIO_CLASS_BE`.
        package var priorityClass: String
        package var priority: Int64

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            priorityClass = try fields.required("class")
            priority = try fields.integer("priority") ?? 0
        }
    }

    /// Lists of processors, `0-3,7`, for a process that is added to a container; empty leaves them alone.
    package struct CPUAffinity: Sendable, Equatable {
        /// Until the process is in the container's cgroup.
        package var initial = ""
        /// From then on.
        package var final = ""

        package init() {}

        init(_ fields: RuntimeFields) throws(RuntimeSpecError) {
            initial = try fields.string("initial") ?? ""
            final = try fields.string("final") ?? ""
        }
    }
}
