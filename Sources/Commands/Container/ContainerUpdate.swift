// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun container update`
enum ContainerUpdate {
    static let command = Command(
        "container update", aliases: ["update"], usage: "[OPTIONS] CONTAINER [CONTAINER...]",
        "Change the limits and the restart policy of containers", arity: .atLeast(1),
        flags: { RunFlags.adjustableLimits + [.restart()] },
        run: run)

    static func run(_ call: Invocation) throws {
        guard command.flags().contains(where: { call.flags.isSet($0.long) }) else {
            throw CommandFailure("you must provide one or more flags when using this command")
        }
        let body = try body(call.flags)
        var warnings: [String] = []
        try call.forEachArgument { name in
            let path = APIPath.container(name) + "/update"
            let answer = try call.client.json("POST", path, body: .json(body))
            warnings += answer["Warnings"]?.strings ?? []
            return name
        }
        for warning in warnings { call.output.line(warning) }
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
        body.set("PidsLimit", flags.int("pids-limit") != 0 ? number("pids-limit") : .null)
        let isRestartSet = !flags.string("restart").isEmpty
        do {
            body.set(
                "RestartPolicy",
                isRestartSet ? try RunRestart.policy(flags.string("restart")) : ["Name": "", "MaximumRetryCount": 0])
        } catch let refusal as RunRefusal { throw CommandFailure(refusal.reason) }
        return body
    }
}
