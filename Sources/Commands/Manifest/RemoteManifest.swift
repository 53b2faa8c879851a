// SPDX-License-Identifier: Apache-2.0
import DockerClient
import JSON

/// A manifest or list as a registry has it. The daemon asks, with its mirrors, certificates and insecure registries;
/// docker's client asks by itself.
struct RemoteManifest {
    let name: ImageName
    /// The text as it is in the registry.
    let raw: String
    let descriptor: JSONValue
    /// Of a manifest its own, from the image's configuration.
    let platforms: [JSONValue]
    let document: JSONValue

    static func fetch(_ call: Invocation, _ name: ImageName) throws -> RemoteManifest {
        let found: JSONValue
        do throws(ClientError) {
            found = try call.client.send("GET", path(name), Query(), headers: [login(call, name)]).json()
        } catch {
            guard error.status == 404 else { throw error }
            throw CommandFailure("no such manifest: " + name.full)
        }
        let raw = found["Raw"]?.string ?? ""
        return RemoteManifest(
            name: name, raw: raw, descriptor: found["Descriptor"] ?? .object([]),
            platforms: found["Platforms"]?.array ?? [], document: (try? JSONValue(parsing: Array(raw.utf8))) ?? .null)
    }

    /// Puts a manifest or list into a registry, under the tag of `name` or its digest alone.
    ///
    /// - Parameter source: the repository of the same registry that has the blobs, if another one.
    /// - Returns: its digest.
    static func store(
        _ call: Invocation, _ bytes: [UInt8], mediaType: String, as name: ImageName, blobsFrom source: String? = nil
    ) throws -> String {
        var query = Query()
        if let source { query.add("from", source) }
        let answer = try call.client.send(
            "PUT", path(name), query, headers: [login(call, name)], body: .bytes(bytes, contentType: mediaType))
        return try answer.json()["Digest"]?.string ?? ""
    }

    var isList: Bool { document["manifests"]?.array != nil }

    /// - Parameter platform: what a list says of it; nil takes the image's own.
    func entry(platform: JSONValue? = nil) -> StoredManifest {
        StoredManifest(
            reference: name.full, descriptor: descriptor, platform: platform ?? platforms.first, raw: raw,
            document: document)
    }

    private static func path(_ name: ImageName) -> String {
        "/distribution/" + APIPath.segment(name.full) + "/manifest"
    }

    private static func login(_ call: Invocation, _ name: ImageName) -> (name: String, value: String) {
        ("X-Registry-Auth", RegistryLogin(config: call.config).header(forHost: name.domain))
    }
}

extension ImageName {
    /// Reads a name that a user gave to a `manifest` command.
    ///
    /// - Parameter what: said before the reason when it is none, e.g. `error parsing name for manifest list`.
    static func argument(_ text: String, _ what: String? = nil) throws -> ImageName {
        do { return try ImageName(text) } catch let error as ImageName.Malformed {
            throw CommandFailure(what.map { $0 + " " + text + ": " + error.reason } ?? error.reason)
        }
    }
}
