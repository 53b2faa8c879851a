// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON
import LinuxSystem

/// `swrun login`
enum Login {
    static let command = Command(
        "login", usage: "[OPTIONS] [SERVER]", "Authenticate to a registry", arity: .atMost(1),
        details: "Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.",
        flags: {
            [
                .string("password", short: "p", "Password or Personal Access Token (PAT)"),
                .bool("password-stdin", "Take the Password or Personal Access Token (PAT) from stdin"),
                .string("username", short: "u", "Username"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let server = RegistryServer.key(call.arguments.first ?? "")
        var wanted = Credentials(username: call.flags.string("username"), password: call.flags.string("password"))
        if call.flags.bool("password-stdin") {
            wanted.password = try passwordFromInput(call, wanted)
        } else if call.flags.isSet("password") {
            call.output.errorLine("WARNING! Using --password via the CLI is insecure. Use --password-stdin.")
        }
        let store = CredentialStore(config: call.config)
        if wanted.username.isEmpty, wanted.password.isEmpty, try logInAgain(call, store, server) { return }
        try ask(&wanted, call, known: (try? store.credentials(for: server))?.username ?? "")
        try logIn(call, store, server, wanted)
    }

    private static func passwordFromInput(_ call: Invocation, _ wanted: Credentials) throws -> String {
        guard !call.flags.isSet("password") else {
            throw CommandFailure("conflicting options: cannot specify both --password and --password-stdin")
        }
        guard !wanted.username.isEmpty else {
            throw CommandFailure("the --password-stdin option requires --username to be set")
        }
        var bytes: [UInt8] = []
        while case let chunk = try StandardStreams.readInput(), !chunk.isEmpty {
            bytes += chunk
            guard bytes.count <= 1 << 20 else { throw CommandFailure("the password on standard input is too long") }
        }
        while let last = bytes.last, last == 10 || last == 13 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// With what is known already; false if that is nothing, or no longer good.
    private static func logInAgain(_ call: Invocation, _ store: CredentialStore, _ server: String) throws -> Bool {
        guard let known = try store.credentials(for: server), known.isUsable else { return false }
        let user = known.username.isEmpty ? "" : " [Username: " + known.username + "]"
        call.output.errorLine("Authenticating with existing credentials..." + user)
        do {
            try logIn(call, store, server, known)
            return true
        } catch let error as ClientError {
            if case .cannotConnect = error { throw error }
            call.output.errorLine("Login did not succeed, error: " + error.message)
            return false
        }
    }

    private static func ask(_ wanted: inout Credentials, _ call: Invocation, known: String) throws {
        guard wanted.username.isEmpty || wanted.password.isEmpty else { return }
        guard TerminalMode.isTerminal(0) else {
            throw CommandFailure("Error: Cannot perform an interactive login from a non TTY device")
        }
        if wanted.username.isEmpty {
            call.output.write("Username" + (known.isEmpty ? "" : " (" + known + ")") + ": ")
            wanted.username = Prompt.readLine()
            if wanted.username.isEmpty { wanted.username = known }
            if wanted.username.isEmpty { throw CommandFailure("Error: Non-null Username Required") }
        }
        if wanted.password.isEmpty {
            wanted.password = try Prompt.readSecret("Password: ", call.output)
            if wanted.password.isEmpty { throw CommandFailure("Error: Password Required") }
        }
    }

    private static func logIn(
        _ call: Invocation, _ store: CredentialStore, _ server: String, _ credentials: Credentials
    ) throws {
        let answer = try call.client.json("POST", "/auth", body: .json(credentials.json(server: server)))
        var kept = credentials
        if let token = answer["IdentityToken"]?.string, !token.isEmpty {
            (kept.identityToken, kept.password) = (token, "")
        }
        if try store.store(kept, for: server) {
            call.output.errorLine(
                "\nWARNING! Your credentials are stored unencrypted in '" + call.config.path.string
                    + "'.\nConfigure a credential helper to remove this warning. See\n"
                    + "https://docs.docker.com/go/credential-store/\n")
        }
        let status = answer["Status"]?.string ?? ""
        if !status.isEmpty { call.output.line(status) }
    }
}
