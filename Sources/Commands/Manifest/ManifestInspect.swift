// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun manifest inspect`. The daemon asks the registry, with its mirrors, certificates and insecure registries;
/// docker's client asks by itself.
enum ManifestInspect {
    static let command = Command(
        "manifest inspect", usage: "[OPTIONS] [MANIFEST_LIST] MANIFEST", "Show a manifest or a manifest list",
        arity: .between(1, 2),
        flags: {
            [
                .bool("insecure", "Accepted for compatibility: the daemon's --insecure-registry decides"),
                .bool("verbose", short: "v", "Show each manifest with its descriptor and platform"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let list = call.arguments.count == 2 ? call.arguments[0] : nil
        guard list == nil else {
            throw CommandFailure(
                "swrun: manifest lists that are stored here are not implemented yet: name the manifest alone")
        }
        let name = try parse(call.arguments[0])
        let found = try fetch(call, name)
        guard let document = parsed(found), let members = document["manifests"]?.array else {
            if call.flags.bool("verbose") {
                return call.output.line(tabbed(try entry(found, name.full, found["Platforms"]?.array?.first)))
            }
            return call.output.line(tabbed(parsed(found) ?? .null))
        }
        if !call.flags.bool("verbose") { return call.output.line(threeSpaced(document)) }
        let entries = try members.map { member in
            var single = name
            (single.tag, single.digest) = (nil, member["digest"]?.string)
            return try entry(try fetch(call, single), single.full, member["platform"])
        }
        call.output.line(tabbed(.array(entries)))
    }

    private static func parse(_ text: String) throws -> ImageName {
        do { return try ImageName(text) } catch let error as ImageName.Malformed { throw CommandFailure(error.reason) }
    }

    private static func fetch(_ call: Invocation, _ name: ImageName) throws -> JSONValue {
        let login = RegistryLogin(config: call.config).header(forHost: name.domain)
        let path = "/distribution/" + APIPath.segment(name.full) + "/manifest"
        do throws(ClientError) {
            return try call.client.send("GET", path, Query(), headers: [("X-Registry-Auth", login)]).json()
        } catch {
            guard error.status == 404 else { throw error }
            throw CommandFailure("no such manifest: " + name.full)
        }
    }

    private static func parsed(_ found: JSONValue) -> JSONValue? {
        try? JSONValue(parsing: Array((found["Raw"]?.string ?? "").utf8))
    }

    /// What `--verbose` shows of one manifest.
    private static func entry(_ found: JSONValue, _ reference: String, _ platform: JSONValue?) throws -> JSONValue {
        let (raw, descriptor) = (found["Raw"]?.string ?? "", found["Descriptor"])
        let type = descriptor?["mediaType"]?.string ?? ""
        var shown: JSONValue = [
            "mediaType": .string(type), "digest": descriptor?["digest"] ?? "", "size": descriptor?["size"] ?? 0,
        ]
        if let platform { shown.set("platform", platform) }
        return [
            "Ref": .string(reference), "Descriptor": shown, "Raw": .string(Base64.encode(Array(raw.utf8))),
            (type.contains(text: "oci") ? "OCIManifest" : "SchemaV2Manifest"): parsed(found) ?? .null,
        ]
    }

    /// Manifests come with tabs.
    private static func tabbed(_ value: JSONValue) -> String {
        value.serialized(JSONFormat(indent: 1)).parts("\n").map { line in
            let depth = line.prefix { $0 == " " }.count
            return String(repeating: "\t", count: depth) + line.dropFirst(depth)
        }.joined(separator: "\n")
    }

    /// Lists come with three spaces for each level and their entries' members in docker's order.
    private static func threeSpaced(_ index: JSONValue) -> String {
        let entries = (index["manifests"]?.array ?? []).map { entry in
            ordered(entry, ["mediaType", "size", "digest", "platform"])
        }
        var shown = ordered(index, ["schemaVersion", "mediaType"])
        shown.set("manifests", .array(entries))
        return shown.serialized(JSONFormat(indent: 3))
    }

    private static func ordered(_ object: JSONValue, _ names: [String]) -> JSONValue {
        var result: JSONValue = .object([])
        for name in names { if let value = object[name] { result.set(name, value) } }
        return result
    }
}
