// SPDX-License-Identifier: Apache-2.0
import Flags

/// `swrun manifest annotate`
enum ManifestAnnotate {
    static let command = Command(
        "manifest annotate", usage: "[OPTIONS] MANIFEST_LIST MANIFEST",
        "Correct the platform that a manifest list gives for an image", arity: .exactly(2),
        flags: {
            [
                .string("arch", "Architecture"), .string("os", "Operating system"),
                .value("os-features", named: "strings", repeats: true, "Features that the operating system must have"),
                .string("os-version", "Version of the operating system"),
                .string("variant", "Variant of the architecture"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let list = try ImageName.argument(call.arguments[0], "annotate: error parsing name for manifest list")
        let name = try ImageName.argument(call.arguments[1], "annotate: error parsing name for manifest")
        let store = ManifestStore(config: call.config)
        guard var member = try store.member(name, of: list) else {
            throw CommandFailure(
                "manifest for image " + call.arguments[1] + " does not exist in " + call.arguments[0])
        }
        let platform = annotated(member.platform, call.flags)
        guard platform.isKnown else {
            throw CommandFailure(
                "manifest entry for image has unsupported os/arch combination: " + call.flags.string("os") + "/"
                    + call.flags.string("arch"))
        }
        member.platform = platform
        try store.save(member, as: name, in: list)
    }

    /// What is given replaces what was there; features add up.
    static func annotated(_ platform: ManifestPlatform, _ flags: FlagValues) -> ManifestPlatform {
        var platform = platform
        let given = { (name: String) in flags.optional(name).flatMap { $0.isEmpty ? nil : $0 } }
        platform.os = given("os") ?? platform.os
        platform.architecture = given("arch") ?? platform.architecture
        platform.variant = given("variant") ?? platform.variant
        platform.osVersion = given("os-version") ?? platform.osVersion
        for feature in flags.commaList("os-features")
        where !feature.isEmpty && !platform.osFeatures.contains(feature) { platform.osFeatures.append(feature) }
        return platform
    }
}
