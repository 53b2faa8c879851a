// SPDX-License-Identifier: Apache-2.0
import Flags
import LinuxSystem
import Logging
import Supervisor

/// The command line: containerd's flags.
struct Options {
    var configuration: SupervisorConfiguration
    var logLevel: Logger.Level

    private static let flags: [Flag] = [
        .string(
            "address", short: "a", default: "/run/swrun/supervisor.sock",
            "Unix socket for gRPC; the one for ttrpc is beside it, with .ttrpc added"),
        .string("config", short: "c", "Configuration file (not supported yet)"),
        .bool("help", short: "h", "Print this help"),
        .string(
            "log-level", short: "l", default: "info",
            "Least serious messages to log: \"trace\", \"debug\", \"info\", \"warn\" or \"error\""),
        .list("gid-map", "Group ids of containers on the host (container:host:size); with it all are remapped"),
        .int("registry-timeout", default: 60, "Seconds for which a registry may be silent"),
        .string("root", default: "/var/lib/swrun/supervisor", "Directory for what must survive a reboot"),
        .string("state", default: "/run/swrun/supervisor", "Directory for what belongs to running tasks"),
        .list("uid-map", "User ids of containers on the host (container:host:size)"),
        .bool("version", short: "v", "Print the version"),
    ]

    /// nil after help or version was printed.
    static func parse(_ arguments: [String]) throws -> Options? {
        let values = try FlagSet(flags).parse(arguments)
        if values.bool("help") {
            var page = HelpPage(usage: "swrun-supervisor [OPTIONS]", description: "Runs containers for swrund and ctr")
            page.options = flags
            try StandardStreams.write(1, Array(page.render().utf8))
            return nil
        }
        if values.bool("version") {
            try StandardStreams.write(1, Array("swrun-supervisor version \(Version.number)\n".utf8))
            return nil
        }
        if let argument = values.arguments.first {
            throw ServiceError(.invalidArgument, "unexpected argument \"\(argument)\"")
        }
        if values.isSet("config") { throw ServiceError(.unimplemented, "--config is not implemented: use the flags") }
        var configuration = SupervisorConfiguration(
            root: try absolute(values, "root"), state: try absolute(values, "state"),
            address: try absolute(values, "address"))
        let timeout = values.int("registry-timeout")
        guard (1...86400).contains(timeout) else {
            throw ServiceError(.invalidArgument, "--registry-timeout must be 1 to 86400 seconds, not \(timeout)")
        }
        configuration.registryTimeout = Int64(timeout)
        configuration.identities = IdentityMap(uids: try ranges(values, "uid-map"), gids: try ranges(values, "gid-map"))
        return Options(configuration: configuration, logLevel: try level(values.string("log-level")))
    }

    private static func ranges(_ values: FlagValues, _ name: String) throws -> [IdentityMap.Range] {
        try values.list(name).map { text in
            guard let range = IdentityMap.Range(text) else {
                throw ServiceError(.invalidArgument, "--\(name) must be container:host:size, not \"\(text)\"")
            }
            return range
        }
    }

    private static func absolute(_ values: FlagValues, _ name: String) throws -> FilePath {
        let path = FilePath(values.string(name)).normalized
        guard path.isAbsolute else {
            throw ServiceError(.invalidArgument, "--\(name) must be an absolute path, not \"\(values.string(name))\"")
        }
        return path
    }

    private static func level(_ name: String) throws -> Logger.Level {
        switch name {
        case "warn": return .warning
        case "fatal", "panic": return .critical
        default:
            guard let level = Logger.Level(rawValue: name) else {
                throw ServiceError(.invalidArgument, "unknown log level \"\(name)\"")
            }
            return level
        }
    }
}
