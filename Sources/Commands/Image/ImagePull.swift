// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import LinuxSystem

/// `swrun image pull`
enum ImagePull {
    static let command = Command(
        "image pull", aliases: ["pull"], usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
        "Fetch an image from a registry", arity: .exactly(1),
        flags: {
            [
                .bool("all-tags", short: "a", "Fetch every tag of the repository"),
                .bool(
                    "disable-content-trust", default: true, "Accepted for compatibility: signatures are never checked"),
                .platform("Platform to fetch"),
                .bool("quiet", short: "q", "Print only the name of the image"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let name: ImageName
        do { name = try ImageName(call.arguments[0]) } catch let error as ImageName.Malformed {
            throw CommandFailure(error.reason)
        }
        let allTags = call.flags.bool("all-tags")
        if allTags, name.tag != nil || name.digest != nil {
            throw CommandFailure("tag can't be used with --all-tags/-a")
        }
        if !allTags, !call.flags.bool("quiet"), name.tag == nil, name.digest == nil {
            call.output.line("Using default tag: latest")
        }
        try ImagePulling(client: call.client, config: call.config).pull(
            call.arguments[0],
            platform: call.flags.optional("platform") ?? Environment.nonEmpty("DOCKER_DEFAULT_PLATFORM"),
            allTags: allTags, isQuiet: call.flags.bool("quiet"), progressTo: 1)
        call.output.line(allTags ? name.domain + "/" + name.path : name.full)
    }
}
