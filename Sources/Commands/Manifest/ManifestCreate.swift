// SPDX-License-Identifier: Apache-2.0
import Flags

/// `swrun manifest create`
enum ManifestCreate {
    static let command = Command(
        "manifest create", usage: "MANIFEST_LIST MANIFEST [MANIFEST...]",
        "Make a manifest list out of images in a registry", arity: .atLeast(2),
        flags: {
            [
                .bool("amend", short: "a", "Add to a manifest list that is there already"),
                .bool("insecure", "Accepted for compatibility: the daemon's --insecure-registry decides"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let list = try ImageName.argument(call.arguments[0], "error parsing name for manifest list")
        let store = ManifestStore(config: call.config)
        if try store.members(of: list)?.isEmpty == false, !call.flags.bool("amend") {
            throw CommandFailure("refusing to amend an existing manifest list with no --amend flag")
        }
        // All of them first: a failure leaves no half of a list.
        var found: [(name: ImageName, manifest: StoredManifest)] = []
        for argument in call.arguments.dropFirst() {
            let name = try ImageName.argument(argument)
            found.append((name, try store.member(name, of: list) ?? fetch(call, name)))
        }
        for (name, manifest) in found { try store.save(manifest, as: name, in: list) }
        call.output.line("Created manifest list " + list.full)
    }

    private static func fetch(_ call: Invocation, _ name: ImageName) throws -> StoredManifest {
        let remote = try RemoteManifest.fetch(call, name)
        if remote.isList { throw CommandFailure(name.full + " is a manifest list") }
        return remote.entry()
    }
}
