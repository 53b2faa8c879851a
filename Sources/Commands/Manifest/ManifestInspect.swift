// SPDX-License-Identifier: Apache-2.0
import Flags
import JSON

/// `swrun manifest inspect`: of an image or list in a registry, or of a list that is stored here.
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
        let isVerbose = call.flags.bool("verbose")
        let names = try call.arguments.map { try ImageName.argument($0) }
        let store = ManifestStore(config: call.config)
        if names.count == 2 {
            guard let member = try store.member(names[1], of: names[0]) else {
                throw CommandFailure("No such manifest: " + names[1].full)
            }
            return call.output.line(tabbed(isVerbose ? member.json : member.document))
        }
        if let members = try? store.members(of: names[0]) {
            return call.output.line(
                isVerbose ? tabbed(.array(members.map { $0.json })) : ManifestList(members).text)
        }
        try inspect(try RemoteManifest.fetch(call, names[0]), isVerbose, call)
    }

    private static func inspect(_ found: RemoteManifest, _ isVerbose: Bool, _ call: Invocation) throws {
        guard let members = found.document["manifests"]?.array else {
            return call.output.line(tabbed(isVerbose ? found.entry().json : found.document))
        }
        if !isVerbose { return call.output.line(ManifestList(document: found.document).text) }
        let entries = try members.map { member in
            var single = found.name
            (single.tag, single.digest) = (nil, member["digest"]?.string)
            return try RemoteManifest.fetch(call, single).entry(platform: member["platform"]).json
        }
        call.output.line(tabbed(.array(entries)))
    }

    /// Manifests come with tabs.
    private static func tabbed(_ value: JSONValue) -> String {
        value.serialized(JSONFormat(indent: 1)).parts("\n").map { line in
            let depth = line.prefix { $0 == " " }.count
            return String(repeating: "\t", count: depth) + line.dropFirst(depth)
        }.joined(separator: "\n")
    }
}
