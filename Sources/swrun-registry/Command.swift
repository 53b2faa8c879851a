// SPDX-License-Identifier: Apache-2.0
import Flags
import HTTPServer
import LinuxSystem
import Logging

/// What the command line asks for.
enum Command {
    case serve(ServeOptions)
    case collectGarbage(root: FilePath, untagged: Bool)

    private static let root = Flag.string(
        "root", default: "/var/lib/swrun-registry", "Directory with all that the registry keeps")

    private static let serveFlags: [Flag] = [
        .string("addr", default: "127.0.0.1:5000", "Address to listen on (host:port; without a host, all addresses)"),
        .bool("delete", "Let clients delete manifests, tags and blobs"),
        .bool("help", short: "h", "Print this help"),
        .string("htpasswd", "File of the users that are let in, as htpasswd -B writes it (default: everybody)"),
        .string(
            "log-level", short: "l", default: "info",
            "Least serious messages to log: \"debug\", \"info\", \"warning\" or \"error\""),
        .bool("read-only", "Let clients change nothing"),
        root,
        .string("tls-certificate", "Certificate with its chain, PEM (default: plain HTTP)"),
        .string("tls-key", "Key of the certificate, PEM"),
        .bool("version", short: "v", "Print the version"),
    ]

    private static let garbageFlags: [Flag] = [
        .bool("delete-untagged", "Also remove manifests that no tag and no index leads to"),
        .bool("help", short: "h", "Print this help"), root,
    ]

    /// nil after help or version was printed.
    static func parse(_ arguments: [String]) throws -> Command? {
        if arguments.first == "garbage-collect" { return try parseGarbage(Array(arguments.dropFirst())) }
        let values = try FlagSet(serveFlags).parse(arguments)
        if values.bool("help") {
            return try printHelp(
                "swrun-registry [OPTIONS]\n        swrun-registry garbage-collect [OPTIONS]",
                "A registry of images for a machine or a network.", serveFlags)
        }
        if values.bool("version") {
            try StandardStreams.write(1, Array("swrun-registry version \(Version.number)\n".utf8))
            return nil
        }
        try checkNoArguments(values)
        return .serve(try ServeOptions(values))
    }

    private static func parseGarbage(_ arguments: [String]) throws -> Command? {
        let values = try FlagSet(garbageFlags).parse(arguments)
        if values.bool("help") {
            return try printHelp(
                "swrun-registry garbage-collect [OPTIONS]",
                "Removes blobs that no manifest names. The registry must not be running.", garbageFlags)
        }
        try checkNoArguments(values)
        return .collectGarbage(root: FilePath(values.string("root")), untagged: values.bool("delete-untagged"))
    }

    private static func printHelp(_ usage: String, _ description: String, _ flags: [Flag]) throws -> Command? {
        var page = HelpPage(usage: usage, description: description)
        page.options = flags
        try StandardStreams.write(1, Array(page.render().utf8))
        return nil
    }

    private static func checkNoArguments(_ values: FlagValues) throws {
        if let argument = values.arguments.first {
            throw ServiceError(.invalidArgument, "unexpected argument \"\(argument)\"")
        }
    }
}

/// How to serve.
struct ServeOptions {
    var root: FilePath
    var host: String
    var port: UInt16
    var certificate: String
    var key: String
    var htpasswd: String
    var isReadOnly: Bool
    var allowsDelete: Bool
    var logLevel: Logger.Level

    init(_ values: FlagValues) throws {
        guard let (host, port) = TCPListening.address(values.string("addr"), port: 5000) else {
            throw ServiceError(.invalidArgument, "invalid --addr \(values.string("addr")): expected host:port")
        }
        guard let level = Logger.Level(rawValue: values.string("log-level")) else {
            throw ServiceError(.invalidArgument, "unknown log level \"\(values.string("log-level"))\"")
        }
        (self.host, self.port, logLevel) = (host, port, level)
        root = FilePath(values.string("root"))
        (certificate, key) = (values.string("tls-certificate"), values.string("tls-key"))
        guard certificate.isEmpty == key.isEmpty else {
            throw ServiceError(.invalidArgument, "--tls-certificate and --tls-key go together")
        }
        htpasswd = values.string("htpasswd")
        isReadOnly = values.bool("read-only")
        allowsDelete = values.bool("delete")
    }
}
