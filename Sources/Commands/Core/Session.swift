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

    package init(globals: FlagValues) throws {
        let directory = globals.optional("config").map { FilePath($0) } ?? ClientConfig.standardDirectory
        config = try ClientConfig(directory: directory)
        self.globals = globals
        let (host, context) = try Session.chooseHost(globals, config)
        contextName = context
        var headers = config.headers
        if let text = Environment.nonEmpty("DOCKER_CUSTOM_HEADERS") { headers += Session.customHeaders(text) }
        client = DockerClient(
            host: host, version: Environment.nonEmpty("DOCKER_API_VERSION"), extraHeaders: headers)
    }

    /// `-H` wins over `-c`, that over DOCKER_HOST, that over DOCKER_CONTEXT, that over the configuration.
    private static func chooseHost(
        _ globals: FlagValues, _ config: ClientConfig
    ) throws -> (host: DaemonHost, context: String) {
        for name in ["tls", "tlsverify"] where globals.bool(name) {
            throw CommandFailure("swrun: --\(name) is not supported yet: use a unix socket or plain tcp")
        }
        let hosts = globals.list("host")
        if hosts.count > 1 { throw CommandFailure(Session.unresolved + "Specify only one -H") }
        if let host = hosts.first {
            if globals.isSet("context") {
                throw CommandFailure("conflicting options: either specify --host or --context, not both")
            }
            return (try endpoint { () throws(ClientError) in try DaemonHost.parse(host) }, "default")
        }
        var context = globals.optional("context")
        if context == nil {
            if let host = Environment.nonEmpty("DOCKER_HOST") {
                return (try endpoint { () throws(ClientError) in try DaemonHost.parse(host) }, "default")
            }
            context = Environment.nonEmpty("DOCKER_CONTEXT") ?? config.string("currentContext")
        }
        guard let context, context != "default", !context.isEmpty else { return (.standard, "default") }
        return (try endpoint { () throws(ClientError) in try config.host(ofContext: context) }, context)
    }

    private static let unresolved = "Failed to initialize: unable to resolve docker endpoint: "

    private static func endpoint(_ find: () throws(ClientError) -> DaemonHost) throws -> DaemonHost {
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
