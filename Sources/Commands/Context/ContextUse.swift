// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON
import LinuxSystem

/// `swrun context use`, `show` and `rm`
enum ContextUse {
    static let useCommand = Command(
        "context use", usage: "CONTEXT", "Choose the context for later commands", arity: .exactly(1), run: use)
    static let showCommand = Command(
        "context show", usage: "", "Print the context in use", arity: .none
    ) { call in call.output.line(call.session.contextName) }
    static let removeCommand = Command(
        "context rm", aliases: ["context remove"], usage: "CONTEXT [CONTEXT...]", "Remove contexts", arity: .atLeast(1),
        flags: {
            [.bool("force", short: "f", "Remove the context in use, too; do not complain of those that do not exist")]
        },
        run: remove)

    private static func use(_ call: Invocation) throws {
        let name = call.arguments[0]
        if name != "default" { _ = try ContextStore(call.config).metadata(name) }
        try choose(name, call.config)
        call.output.line(name)
        call.output.errorLine("Current context is now \"\(name)\"")
        if name != "default", call.session.ignoresContexts {
            call.output.errorLine(
                "Warning: DOCKER_HOST environment variable overrides the active context. To use \"\(name)\", either set "
                    + "the global --context flag, or unset DOCKER_HOST environment variable.")
        }
    }

    private static func choose(_ name: String, _ config: ClientConfig) throws {
        try config.update { values in
            values = .object((values.members ?? []).filter { $0.key != "currentContext" })
            if name != "default" { values.set("currentContext", .string(name)) }
        }
    }

    private static func remove(_ call: Invocation) throws {
        let store = ContextStore(call.config)
        let isForced = call.flags.bool("force")
        try call.forEachArgument { name in
            if name == "default" { throw ClientError.configuration("context \"default\" cannot be removed") }
            guard store.exists(name) else {
                if isForced { return name }
                throw ClientError.configuration("context \"\(name)\" does not exist")
            }
            if name == call.session.contextName {
                if !isForced {
                    throw ClientError.configuration(
                        "context \"\(name)\" is in use, set -f flag to force remove")
                }
                do { try choose("default", call.config) } catch let failure as CommandFailure {
                    throw ClientError.configuration(failure.message)
                }
            }
            store.remove(name)
            return name
        }
    }
}
