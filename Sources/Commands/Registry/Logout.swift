// SPDX-License-Identifier: Apache-2.0
import Flags

/// `swrun logout`
enum Logout {
    static let command = Command(
        "logout", usage: "[SERVER]", "Log out from a registry", arity: .atMost(1),
        details: "Log out from a registry.\nIf no server is specified, the default is defined by the daemon.",
        run: run)

    static func run(_ call: Invocation) throws {
        let server = RegistryServer.key(call.arguments.first ?? "")
        call.output.line("Removing login credentials for " + server)
        do { try CredentialStore(config: call.config).erase(server) } catch let error as CommandFailure {
            throw CommandFailure("WARNING: could not erase credentials:\n" + server + ": " + error.message)
        }
    }
}
