// SPDX-License-Identifier: Apache-2.0
import DockerClient

/// `swrun container rename`
enum ContainerRename {
    static let command = Command(
        "container rename", aliases: ["rename"], usage: "CONTAINER NEW_NAME",
        "Give a container another name", arity: .exactly(2),
        run: run)

    static func run(_ call: Invocation) throws {
        let (old, new) = (call.arguments[0].trimmed, call.arguments[1].trimmed)
        if old.isEmpty || new.isEmpty { throw CommandFailure("Error: Neither old nor new names may be empty") }
        do throws(ClientError) {
            try call.client.perform("POST", APIPath.container(old) + "/rename", Query([("name", new)]))
        } catch {
            if case .cannotConnect = error { throw error }
            throw CommandFailure(error.message + "\nError: failed to rename container named " + old)
        }
    }
}
