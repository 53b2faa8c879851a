// SPDX-License-Identifier: Apache-2.0
import Flags

/// `swrun container create`
enum ContainerCreate {
    static let command = Command(
        "container create", aliases: ["create"], usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
        "Create a container without starting it", arity: .atLeast(1), stopsAtFirstArgument: true,
        flags: { RunFlags.creation },
        run: run)

    static func run(_ call: Invocation) throws {
        do {
            let settings = try RunSettings(flags: call.flags)
            call.output.line(try ContainerCreation(call: call, settings: settings).run())
        } catch let refusal as RunRefusal {
            throw ContainerRun.failure(refusal.reason, call, code: 125)
        }
    }
}
