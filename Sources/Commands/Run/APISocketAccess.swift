// SPDX-License-Identifier: Apache-2.0
import DockerClient
import JSON
import Tar

/// `--use-api-socket`: the container gets the daemon's socket where docker's clients look for it, and the user's
/// credentials for registries as their configuration, unless it brings one.
struct APISocketAccess {
    private static let socket = "/var/run/docker.sock"
    private static let directory = "/run/secrets/docker"

    private let source: String
    private let store: CredentialStore

    init(_ call: Invocation) throws {
        guard case .unix(let path) = call.client.host else {
            throw RunRefusal(
                "flag --use-api-socket can only be used with unix sockets: docker endpoint "
                    + "\(call.client.host.description) incompatible")
        }
        source = path
        store = CredentialStore(config: call.config)
    }

    /// Adds the mount to a request to create a container.
    /// - Returns: what `handOver` has to bring; nil: nothing.
    func extend(_ body: inout JSONValue) throws -> JSONValue? {
        var host = body["HostConfig"] ?? .object([])
        let mount: JSONValue = [
            "Type": "bind", "Source": .string(source), "Target": .string(Self.socket), "BindOptions": .object([]),
        ]
        host.set("Mounts", .array((host["Mounts"]?.array ?? []) + [mount]))
        body.set("HostConfig", host)
        let environment = body["Env"]?.strings ?? []
        if environment.contains(where: { $0.hasPrefix("DOCKER_CONFIG=") }) { return nil }
        let known: [JSONValue.Member]
        do { known = try store.all().map { .init($0.server, $0.credentials.entry) } } catch {
            throw CommandFailure("resolving credentials failed: \(error)")
        }
        if known.isEmpty { return nil }
        body.set("Env", .array((environment + ["DOCKER_CONFIG=" + Self.directory]).map { .string($0) }))
        return ["auths": .object(known)]
    }

    /// Puts the configuration into the container, which only its owner may read.
    func handOver(_ configuration: JSONValue, to id: String, _ client: DockerClient) throws {
        let content = configuration.bytes(.pretty)
        var entry = TarEntry(kind: .regular, path: Array((Self.directory.dropFirst() + "/config.json").utf8))
        entry.mode = 0o600
        entry.size = Int64(content.count)
        let archive = TarWriter.header(entry) + content + TarWriter.padding(entry.size) + TarWriter.end
        do {
            try client.perform(
                "PUT", CopyStat.archivePath(id), Query([("path", "/"), ("noOverwriteDirNonDir", "true")]),
                body: .bytes(archive, contentType: "application/x-tar"))
        } catch {
            throw CommandFailure("injecting docker config.json into container failed: \(error.message)")
        }
    }
}
