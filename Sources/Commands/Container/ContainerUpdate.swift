// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun container update`
enum ContainerUpdate {
    static let command = Command(
        "container update", aliases: ["update"], usage: "[OPTIONS] CONTAINER [CONTAINER...]",
        "Update configuration of one or more containers", arity: .atLeast(1),
        flags: {
            [
                Flag(
                    "blkio-weight", kind: .uint16, valueName: "uint16",
                    help:
                        "Block IO (relative weight), between 10 and 1000, or 0 to disable"
                ).showing(default: "0"),
                .int("cpu-period", "Limit CPU CFS (Completely Fair Scheduler) period"),
                .int("cpu-quota", "Limit CPU CFS (Completely Fair Scheduler) quota"),
                .int("cpu-rt-period", "Limit the CPU real-time period in microseconds"),
                .int("cpu-rt-runtime", "Limit the CPU real-time runtime in microseconds"),
                .int("cpu-shares", short: "c", "CPU shares (relative weight)"),
                .value("cpus", named: "decimal", "Number of CPUs", check: Checks.decimal),
                .string("cpuset-cpus", "CPUs in which to allow execution (0-3, 0,1)"),
                .string("cpuset-mems", "MEMs in which to allow execution (0-3, 0,1)"),
                .value("memory", short: "m", named: "bytes", "Memory limit", check: Checks.bytes),
                .value("memory-reservation", named: "bytes", "Memory soft limit", check: Checks.bytes),
                .value(
                    "memory-swap", named: "bytes",
                    "Swap limit equal to memory plus swap: -1 to enable unlimited swap", check: Checks.bytesOrUnlimited),
                .int("pids-limit", "Tune container pids limit (set -1 for unlimited)"),
                .string("restart", "Restart policy to apply when a container exits"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let body = try body(call.flags)
        var warnings: [String] = []
        try call.forEachArgument { name in
            let path = "/containers/" + percentEncoded(name, spaceAsPlus: false) + "/update"
            let answer = try call.client.json("POST", path, body: .json(body))
            warnings += answer["Warnings"]?.strings ?? []
            return name
        }
        for warning in warnings { call.output.errorLine(warning) }
    }

    private static func body(_ flags: FlagValues) throws -> JSONValue {
        func bytes(_ name: String) -> JSONValue {
            flags.string(name) == "-1" ? -1 : .int((try? SizeText.parse(flags.string(name))) ?? 0)
        }
        func number(_ name: String) -> JSONValue { .int(Int64(flags.int(name))) }
        var body: JSONValue = [
            "CpuShares": number("cpu-shares"), "Memory": bytes("memory"),
            "NanoCpus": .int((try? Decimal.nano(flags.string("cpus"))) ?? 0), "CgroupParent": "",
            "BlkioWeight": number("blkio-weight"), "CpuPeriod": number("cpu-period"), "CpuQuota": number("cpu-quota"),
            "CpuRealtimePeriod": number("cpu-rt-period"), "CpuRealtimeRuntime": number("cpu-rt-runtime"),
            "CpusetCpus": .string(flags.string("cpuset-cpus")), "CpusetMems": .string(flags.string("cpuset-mems")),
            "MemoryReservation": bytes("memory-reservation"), "MemorySwap": bytes("memory-swap"),
        ]
        body.set("PidsLimit", flags.isSet("pids-limit") ? number("pids-limit") : .null)
        let isRestartSet = !flags.string("restart").isEmpty
        do {
            body.set(
                "RestartPolicy",
                isRestartSet ? try RunRestart.policy(flags.string("restart")) : ["Name": "", "MaximumRetryCount": 0])
        } catch let refusal as RunRefusal { throw CommandFailure(refusal.reason) }
        return body
    }
}
