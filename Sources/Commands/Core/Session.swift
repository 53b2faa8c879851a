// SPDX-License-Identifier: Apache-2.0
package import DockerClient
package import Flags
import LinuxSystem

/// What all commands of one call of the program share: the daemon, the user's configuration, the global flags.
package final class Session {
    package let config: ClientConfig
    package let client: DockerClient
    /// What `docker context show` would print.
    package let contextName: String
    package let output = Output()
    let globals: FlagValues

    /// Whether a daemon that was named apart hides the context that was chosen.
    let ignoresContexts: Bool

    /// - Parameter needsDaemon: false for commands that work even where the daemon in use cannot be found out.
    package init(globals: FlagValues, needsDaemon: Bool = true) throws {
        let directory = globals.optional("config").map { FilePath($0) } ?? ClientConfig.standardDirectory
        config = try ClientConfig(directory: directory)
        self.globals = globals
        ignoresContexts =
            Environment.nonEmpty("DOCKER_HOST") != nil && !globals.isSet("context") && !globals.isSet("host")
        let chosen: Choice
        do { chosen = try Session.choose(globals, config) } catch {
            if needsDaemon { throw error }
            chosen = (
                .standard, nil,
                globals.optional("context") ?? Environment.nonEmpty("DOCKER_CONTEXT") ?? config.string("currentContext")
                    ?? "default"
            )
        }
        contextName = chosen.context
        var headers = config.headers
        if let text = Environment.nonEmpty("DOCKER_CUSTOM_HEADERS") { headers += Session.customHeaders(text) }
        client = DockerClient(
            host: chosen.host, tls: chosen.tls, version: Environment.nonEmpty("DOCKER_API_VERSION"),
            extraHeaders: headers)
    }

    private typealias Choice = (host: DaemonHost, tls: TLSOptions?, context: String)

    /// `-H` wins over `-c`, that over DOCKER_HOST, that over DOCKER_CONTEXT, that over the configuration.
    private static func choose(_ globals: FlagValues, _ config: ClientConfig) throws -> Choice {
        let hosts = globals.list("host")
        if hosts.count > 1 { throw CommandFailure(Session.unresolved + "Specify only one -H") }
        if let host = hosts.first {
            if globals.isSet("context") {
                throw CommandFailure("conflicting options: cannot specify both --host and --context")
            }
            return try named(host, globals, config)
        }
        var context = globals.optional("context")
        if context == nil {
            if let host = Environment.nonEmpty("DOCKER_HOST") { return try named(host, globals, config) }
            context = Environment.nonEmpty("DOCKER_CONTEXT") ?? config.string("currentContext")
        }
        guard let context, context != "default", !context.isEmpty else { return try named("", globals, config) }
        let found = try endpoint { () throws(ClientError) in try ContextStore(config).endpoint(context) }
        return (found.host, found.tls, context)
    }

    /// A daemon that `-H` or DOCKER_HOST names; where none does, this machine's, with TLS over TCP.
    private static func named(_ text: String, _ globals: FlagValues, _ config: ClientConfig) throws -> Choice {
        let tls = tlsOptions(globals, config, isForced: text.hasPrefix("https://"))
        // Told here, also where the transport has no use for it: whoever asked for it is not to go on without.
        if let authority = tls?.authority, !exists(FilePath(authority)) {
            throw CommandFailure(unresolved + "open " + authority + ": no such file or directory")
        }
        if text.isEmpty, tls == nil { return (.standard, nil, "default") }
        let host = try endpoint { () throws(ClientError) in try DaemonHost.parse(text, usesTLS: tls != nil) }
        return (host, tls, "default")
    }

    /// `--tls…`, DOCKER_TLS, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, as docker reads them. A certificate and a key that
    /// nobody named may be missing, the authorities may not.
    private static func tlsOptions(_ globals: FlagValues, _ config: ClientConfig, isForced: Bool) -> TLSOptions? {
        let verifies =
            globals.isSet("tlsverify") ? globals.bool("tlsverify") : Environment.nonEmpty("DOCKER_TLS_VERIFY") != nil
        let isOn =
            globals.bool("tls") || Environment.nonEmpty("DOCKER_TLS") != nil || globals.isSet("tlsverify") || verifies
        guard isOn || isForced else { return nil }
        let directory = Environment.nonEmpty("DOCKER_CERT_PATH").map { FilePath($0) } ?? config.directory
        func path(_ flag: String, _ name: String, isNeeded: Bool = false) -> String? {
            if let given = globals.optional(flag) { return given }
            let path = directory / name
            return isNeeded || exists(path) ? path.string : nil
        }
        return TLSOptions(
            authority: isOn ? path("tlscacert", "ca.pem", isNeeded: true) : nil,
            certificate: path("tlscert", "cert.pem"), key: path("tlskey", "key.pem"),
            verifies: verifies || isForced && !isOn)
    }

    private static let unresolved = "Failed to initialize: unable to resolve docker endpoint: "

    private static func endpoint<Value>(_ find: () throws(ClientError) -> Value) throws -> Value {
        do throws(ClientError) { return try find() } catch { throw CommandFailure(unresolved + error.message) }
    }

    /// `name=value,name=value`
    private static func customHeaders(_ text: String) -> [(name: String, value: String)] {
        text.split(separator: ",").compactMap { field in
            guard let (name, value) = String(field).cut("=") else { return nil }
            return (name, value)
        }
    }
}

/// One command with its parsed command line.
package struct Invocation {
    package let command: Command
    /// The words by which it was called, e.g. `stop` or `container stop`.
    package let name: String
    package let flags: FlagValues
    package let session: Session

    package var arguments: [String] { flags.arguments }
    package var client: DockerClient { session.client }
    package var output: Output { session.output }
    package var config: ClientConfig { session.config }

    /// Says so, rather than ignore a flag that docker has and that changes what happens.
    package func refuse(_ names: String...) throws {
        for name in names where flags.isSet(name) && flags.string(name) != "false" {
            throw CommandFailure("swrun: --" + name + " is not supported by swrun yet")
        }
    }

    /// Refuses, in docker's words, what only an experimental daemon does.
    package func requireExperimentalDaemon(_ what: String) throws {
        if try client.pingHeader("docker-experimental") == "true" { return }
        throw CommandFailure(what + " is only supported on a Docker daemon with experimental features enabled")
    }

    /// Does `action` for each argument, prints what it returns, and reports all failures at the end.
    package func forEachArgument(_ action: (String) throws -> String?) throws {
        var failures: [String] = []
        for argument in arguments {
            do {
                if let line = try action(argument) { output.line(line) }
            } catch let error as ClientError {
                if case .cannotConnect = error { throw error }
                failures.append(error.message)
            }
        }
        if !failures.isEmpty { throw CommandFailure(failures.joined(separator: "\n")) }
    }
}
