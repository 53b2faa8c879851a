// SPDX-License-Identifier: Apache-2.0

/// What a container's processes have used so far, and of what they may use at most: the figures of its cgroups, of
/// either version, in one form. Times are nanoseconds, amounts bytes.
package struct CgroupStatistics: Sendable, Equatable {
    /// Whether the figures are those of cgroup version 2, which counts other things.
    package var isUnified: Bool
    package var cpu = CPU()
    package var memory = Memory()
    package var pids = PIDs()
    package var blockIO = BlockIO()
    package var hugepages: [Hugepages] = []

    package init(isUnified: Bool) { self.isUnified = isUnified }
}

extension CgroupStatistics {
    package struct CPU: Sendable, Equatable {
        package var total: UInt64 = 0
        package var kernel: UInt64 = 0
        package var user: UInt64 = 0
        /// By processor; version 1 only.
        package var perProcessor: [UInt64] = []
        package var perProcessorKernel: [UInt64] = []
        package var perProcessorUser: [UInt64] = []
        /// Enforcement periods that have passed while the limit was in force.
        package var periods: UInt64 = 0
        package var throttledPeriods: UInt64 = 0
        package var throttledTime: UInt64 = 0

        package init() {}
    }

    /// One kind of memory. A missing limit is the kernel's greatest number (version 1) or all ones (version 2).
    package struct Level: Sendable, Equatable {
        package var usage: UInt64 = 0
        /// The most there has been.
        package var peak: UInt64 = 0
        /// How often the limit was hit.
        package var failures: UInt64 = 0
        package var limit: UInt64 = 0

        package init() {}
    }

    package struct Memory: Sendable, Equatable {
        /// memory.stat, line by line.
        package var counters = CgroupCounters()
        package var usage = Level()
        /// Version 1 counts memory and swap together, version 2 swap alone.
        package var swap = Level()
        package var kernel = Level()
        package var kernelTCP = Level()
        /// memory.oom_control (version 1) or memory.events (version 2), line by line.
        package var events = CgroupCounters()

        package init() {}
    }

    package struct PIDs: Sendable, Equatable {
        package var current: UInt64 = 0
        /// Nil without a limit.
        package var limit: UInt64?

        package init() {}
    }

    /// The block devices' counters; version 2 has the first two.
    package struct BlockIO: Sendable, Equatable {
        package struct Entry: Sendable, Equatable {
            package var major: UInt64
            package var minor: UInt64
            /// `Read`, `Write`, `Sync`, … `Total`; empty where the kernel does not distinguish.
            package var operation: String
            package var value: UInt64

            package init(major: UInt64, minor: UInt64, operation: String, value: UInt64) {
                self.major = major
                self.minor = minor
                self.operation = operation
                self.value = value
            }
        }

        package var serviceBytes: [Entry] = []
        package var serviced: [Entry] = []
        package var queued: [Entry] = []
        package var serviceTime: [Entry] = []
        package var waitTime: [Entry] = []
        package var merged: [Entry] = []
        package var time: [Entry] = []
        package var sectors: [Entry] = []

        package init() {}
    }

    package struct Hugepages: Sendable, Equatable {
        /// `2MB`, `1GB`.
        package var pageSize: String
        package var level = Level()

        package init(pageSize: String) { self.pageSize = pageSize }
    }
}
