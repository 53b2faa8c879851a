// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON
import LinuxSystem

/// What `--docker key=value,…` says of a daemon.
struct ContextEndpoint {
    var host: String
    var skipsVerification: Bool
    var keys: [(name: String, bytes: [UInt8])]

    private static let known = ["from", "host", "ca", "cert", "key", "skip-tls-verify"]

    static var flag: Flag {
        .value(
            "docker", named: "stringToString", repeats: true,
            "Daemon of the context, e.g. host=tcp://host:2376,ca=ca.pem"
        )
        .showing(default: "[]")
    }

    /// Nil if the flag was not given.
    static func fields(_ flags: FlagValues) throws -> [String: String]? {
        guard flags.isSet("docker") else { return nil }
        var fields: [String: String] = [:]
        for item in flags.commaList("docker") {
            guard let (name, value) = item.cut("=") else {
                throw CommandFailure(
                    "invalid argument \"\(item)\" for \"--docker\" flag: \(item) must be formatted as key=value")
            }
            fields[name] = value
        }
        return fields
    }

    /// - Parameter store: where `from` finds the other context.
    init(_ fields: [String: String], _ store: ContextStore, current: DaemonHost) throws {
        let unknown = fields.keys.filter { !Self.known.contains($0) }.sorted()
        if let name = unknown.first {
            throw CommandFailure(Self.refusal + "unrecognized config key: \(name)")
        }
        if let other = fields["from"] {
            self = try ContextEndpoint(copying: other, store, current: current)
            return
        }
        host = fields["host"] ?? ""
        if !host.isEmpty, !host.contains(text: "://") || host.hasSuffix("://") {
            throw CommandFailure(
                Self.refusal + "unable to apply docker endpoint options: unable to parse docker host `" + host + "`")
        }
        skipsVerification = false
        if let text = fields["skip-tls-verify"] {
            guard let value = FlagNumbers.bool(text) else {
                throw CommandFailure(
                    Self.refusal + "skip-tls-verify: strconv.ParseBool: parsing \"\(text)\": invalid syntax")
            }
            skipsVerification = value
        }
        keys = []
        for (option, file) in [("ca", "ca.pem"), ("cert", "cert.pem"), ("key", "key.pem")] {
            guard let path = fields[option], !path.isEmpty else { continue }
            do throws(SysError) { keys.append((file, try readFile(FilePath(path)))) } catch {
                throw CommandFailure(Self.refusal + "open \(path): \(error.errno.text)")
            }
        }
    }

    /// What another context has; `default` is the daemon in use.
    init(copying name: String, _ store: ContextStore, current: DaemonHost) throws {
        if name == "default" {
            (host, skipsVerification, keys) = (current.description, false, [])
            return
        }
        let endpoint = try store.metadata(name)["Endpoints"]?["docker"]
        host = endpoint?["Host"]?.string ?? ""
        skipsVerification = endpoint?["SkipTLSVerify"]?.bool ?? false
        keys = store.keys(name)
    }

    private static let refusal = "unable to create docker endpoint config: "

    var json: JSONValue {
        var json: JSONValue = [:]
        if !host.isEmpty { json.set("Host", .string(host)) }
        json.set("SkipTLSVerify", .bool(skipsVerification))
        return json
    }
}

extension ContextStore {
    /// Refuses names that docker refuses.
    static func check(_ name: String) throws {
        if name == "default" { throw CommandFailure("\"default\" is a reserved context name") }
        guard isValid(name) else {
            throw CommandFailure(
                "context name \"\(name)\" is invalid, names are validated against regexp "
                    + "\"^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$\"")
        }
    }

    func checkAbsent(_ name: String) throws {
        if exists(name) { throw CommandFailure("context \"\(name)\" already exists") }
    }
}
