// SPDX-License-Identifier: Apache-2.0
package import Flags
package import JSON

/// What `run` and `create` make of their flags: the body of the create request, in the order in which docker writes it.
package struct RunSettings {
    package let flags: FlagValues
    package let image: String
    package let command: [String]
    /// `create`, `run`: decides whether `--detach` exists.
    package let isDetached: Bool
    /// Height and width of the terminal that a container with a terminal starts with.
    package var consoleSize: (height: Int64, width: Int64) = (0, 0)

    package init(flags: FlagValues) throws {
        self.flags = flags
        image = flags.arguments[0]
        command = Array(flags.arguments.dropFirst())
        isDetached = flags.bool("detach")
        try validate()
    }

    package var name: String? { flags.optional("name") }
    package var hasTerminal: Bool { flags.bool("tty") }
    package var isInteractive: Bool { flags.bool("interactive") }
    package var removesAtExit: Bool { flags.bool("rm") }

    // MARK: Attached streams

    private func attaches(to stream: String) -> Bool {
        flags.list("attach").contains { $0.lowercased() == stream }
    }

    private var attachesByDefault: Bool { flags.list("attach").isEmpty && !isDetached }

    package var attachStdin: Bool { attachesByDefault ? isInteractive : attaches(to: "stdin") }
    package var attachStdout: Bool { attachesByDefault || attaches(to: "stdout") }
    package var attachStderr: Bool { attachesByDefault || attaches(to: "stderr") }

    // MARK: Body

    /// The JSON that POST /containers/create takes.
    package func body() throws -> JSONValue {
        var body = try config()
        body.set("HostConfig", try hostConfig())
        body.set("NetworkingConfig", ["EndpointsConfig": try endpoints()])
        return body
    }

    private func config() throws -> JSONValue {
        let ports = try RunPorts(publish: flags.list("publish"), expose: flags.list("expose"))
        let storage = try RunStorage(flags)
        var config: JSONValue = [
            "Hostname": .string(flags.string("hostname")),
            "Domainname": .string(flags.string("domainname")),
            "User": .string(flags.string("user")),
            "AttachStdin": .bool(attachStdin),
            "AttachStdout": .bool(attachStdout),
            "AttachStderr": .bool(attachStderr),
        ]
        if !ports.exposed.isEmpty { config.set("ExposedPorts", .sorted(ports.exposed.map { ($0, [:]) })) }
        config.set("Tty", .bool(hasTerminal))
        config.set("OpenStdin", .bool(isInteractive))
        config.set("StdinOnce", .bool(isInteractive && attachStdin))
        config.set("Env", .stringsOrNull(try RunEnvironment.variables(flags)))
        config.set("Cmd", .stringsOrNull(command))
        if let check = try healthcheck() { config.set("Healthcheck", check) }
        config.set("Image", .string(image))
        config.set("Volumes", .sorted(storage.anonymous.map { ($0, [:]) }))
        config.set("WorkingDir", .string(flags.string("workdir")))
        config.set("Entrypoint", flags.optional("entrypoint").map { .strings([$0]) } ?? .null)
        config.set("OnBuild", .null)
        config.set("Labels", .map(try RunEnvironment.labels(flags)))
        if let signal = flags.optional("stop-signal"), !signal.isEmpty { config.set("StopSignal", .string(signal)) }
        if let timeout = flags.optionalInt("stop-timeout") { config.set("StopTimeout", .int(Int64(timeout))) }
        return config
    }

    private func healthcheck() throws -> JSONValue? {
        let names = [
            "health-cmd", "health-interval", "health-timeout", "health-start-period", "health-start-interval",
            "health-retries",
        ]
        let isSet = names.contains { flags.isSet($0) }
        if flags.bool("no-healthcheck") {
            if isSet { throw RunRefusal("--no-healthcheck conflicts with --health-* options") }
            return ["Test": ["NONE"]]
        }
        if !isSet { return nil }
        var check: JSONValue = .object([])
        if !flags.string("health-cmd").isEmpty {
            check.set("Test", ["CMD-SHELL", .string(flags.string("health-cmd"))])
        }
        let durations = [
            ("health-interval", "Interval"), ("health-timeout", "Timeout"), ("health-start-period", "StartPeriod"),
            ("health-start-interval", "StartInterval"),
        ]
        for (flag, key) in durations {
            let value = DurationText.parse(flags.string(flag)) ?? 0
            if value < 0 { throw RunRefusal("--" + flag + " cannot be negative") }
            if value > 0 { check.set(key, .int(value)) }
        }
        if flags.int("health-retries") > 0 { check.set("Retries", .int(Int64(flags.int("health-retries")))) }
        return check
    }
}

/// The command line of `run` or `create` cannot be turned into a request.
package struct RunRefusal: Error, Sendable, Equatable {
    package var reason: String

    package init(_ reason: String) { self.reason = reason }
}

extension JSONValue {
    static func stringsOrNull(_ values: [String]) -> JSONValue { values.isEmpty ? .null : .strings(values) }

    /// An object of texts, sorted by key; of duplicates the last one counts.
    static func map(_ pairs: [(key: String, value: String)]) -> JSONValue {
        var unique: [(key: String, value: JSONValue)] = []
        for pair in pairs {
            unique.removeAll { $0.key == pair.key }
            unique.append((pair.key, .string(pair.value)))
        }
        return .sorted(unique)
    }
}
