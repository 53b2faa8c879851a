// SPDX-License-Identifier: Apache-2.0
import Flags

/// `swrun manifest push`
enum ManifestPush {
    static let command = Command(
        "manifest push", usage: "[OPTIONS] MANIFEST_LIST", "Send a manifest list to a registry", arity: .exactly(1),
        flags: {
            [
                .bool("insecure", "Accepted for compatibility: the daemon's --insecure-registry decides"),
                .bool("purge", short: "p", "Remove the list here once it is in the registry"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let list = try ImageName.argument(call.arguments[0])
        let store = ManifestStore(config: call.config)
        guard let members = try store.members(of: list) else { throw CommandFailure("No such manifest: " + list.full) }
        if members.isEmpty { throw CommandFailure(list.full + " not found") }
        let sources = try members.map { try source(of: $0, for: list) }
        for (member, source) in zip(members, sources) where source != list.path {
            try push(call, member, from: source, to: list)
        }
        let document = ManifestList(members)
        let digest = try RemoteManifest.store(
            call, Array(document.text.utf8), mediaType: document.mediaType, as: list)
        if call.flags.bool("purge") { _ = try store.remove(list) }
        call.output.line(digest)
    }

    /// The repository that an image of the list is in, which must be of the list's registry.
    private static func source(of member: StoredManifest, for list: ImageName) throws -> String {
        let name = try ImageName.argument(member.reference, "invalid image in manifest list")
        guard name.domain == list.domain else {
            throw CommandFailure(
                "cannot use source images from a different registry than the target image: " + name.domain + " != "
                    + list.domain)
        }
        let platform = member.platform
        guard !platform.os.isEmpty, !platform.architecture.isEmpty else {
            throw CommandFailure(
                "manifest " + member.reference
                    + " must have an OS and Architecture to be pushed to a registry: use 'swrun manifest annotate'")
        }
        return name.path
    }

    /// Brings an image's manifest and blobs into the list's repository.
    private static func push(
        _ call: Invocation, _ member: StoredManifest, from source: String, to list: ImageName
    ) throws {
        guard let bytes = member.bytes else {
            throw CommandFailure("damaged manifest list: " + member.reference + ": make the list anew")
        }
        var target = list
        (target.tag, target.digest) = (nil, member.digest)
        let digest = try RemoteManifest.store(
            call, bytes, mediaType: member.mediaType, as: target, blobsFrom: source)
        guard digest == member.digest else {
            throw CommandFailure(
                "damaged manifest list: " + member.reference + " has another digest: make the list anew")
        }
        call.output.line("Pushed ref " + target.full + " with digest: " + digest)
    }
}
