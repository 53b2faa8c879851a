// SPDX-License-Identifier: Apache-2.0
import Flags

/// Flags that limit what the container may use.
extension RunFlags {
    /// The limits that can also be changed later: the flags of `update` are these.
    static var adjustableLimits: [Flag] {
        [
            Flag(
                "blkio-weight", kind: .uint16, valueName: "uint16",
                help: "Share of disk time in relation to others (10 to 1000, 0: not set)"),
            .int("cpu-period", "Length of a CPU scheduling period in microseconds"),
            .int("cpu-quota", "CPU time that may be used in each period, in microseconds"),
            .int("cpu-rt-period", "Length of a real-time scheduling period in microseconds"),
            .int("cpu-rt-runtime", "Real-time CPU time in each real-time period, in microseconds"),
            .int("cpu-shares", short: "c", "Share of CPU time in relation to others when CPUs are busy (1024: normal)"),
            .value(
                "cpus", named: "decimal", "How many CPUs' worth of time may be used, e.g. 1.5", check: Checks.decimal),
            .string("cpuset-cpus", "CPUs to run on, e.g. 0-3 or 0,2"),
            .string("cpuset-mems", "NUMA memory nodes to use, e.g. 0-3 or 0,2"),
            .value("memory", short: "m", named: "bytes", "Memory limit, e.g. 512m or 2g", check: Checks.bytes),
            .value(
                "memory-reservation", named: "bytes", "Memory that the kernel tries to hold it to when memory is short",
                check: Checks.bytes),
            .value(
                "memory-swap", named: "bytes", "Limit of memory and swap together; -1: no limit on swap",
                check: Checks.bytesOrUnlimited),
            .int("pids-limit", "Limit on the number of processes and threads; -1: no limit"),
        ]
    }

    static var limits: [Flag] {
        adjustableLimits + [
            .value(
                "kernel-memory", named: "bytes", "Limit on kernel memory; current kernels have none",
                check: Checks.bytes),
            .int("memory-swappiness", default: -1, "Readiness to swap (0 to 100, -1: the host's)"),
            .bool("oom-kill-disable", "Let processes wait, rather than be killed, at the memory limit"),
        ]
    }

    static var blockLimits: [Flag] {
        [
            .list("blkio-weight-device", "--blkio-weight for one device (<device>:<weight>)")
                .checking(RunChecks.weight),
            .list("device-read-bps", "Limit on bytes read from a device per second (<device>:<size>)")
                .checking(RunChecks.byteRate),
            .list("device-read-iops", "Limit on reads from a device per second (<device>:<count>)")
                .checking(RunChecks.operationRate),
            .list("device-write-bps", "Limit on bytes written to a device per second (<device>:<size>)")
                .checking(RunChecks.byteRate),
            .list("device-write-iops", "Limit on writes to a device per second (<device>:<count>)")
                .checking(RunChecks.operationRate),
        ]
    }

    /// Known so that a script gets docker's refusal rather than "unknown flag".
    static var windows: [Flag] {
        [
            .int("cpu-count", "Number of CPUs (Windows daemons only)"),
            .int("cpu-percent", "Percentage of CPU time (Windows daemons only)"),
            .value(
                "io-maxbandwidth", named: "bytes", "Bytes per second on the system drive (Windows daemons only)",
                check: Checks.bytes),
            .uint("io-maxiops", "Operations per second on the system drive (Windows daemons only)"),
            .string("isolation", "Kind of isolation: \"default\" on Linux, more on Windows daemons"),
        ]
    }
}
