// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun image push`
enum ImagePush {
    static let command = Command(
        "image push", aliases: ["push"], usage: "[OPTIONS] NAME[:TAG]",
        "Send an image to a registry", arity: .exactly(1),
        flags: {
            [
                .bool("all-tags", short: "a", "Send every tag that the repository has here"),
                .bool("disable-content-trust", default: true, "Accepted for compatibility: nothing is ever signed"),
                .platform("Only platform to send, without the image's index"),
                .bool("quiet", short: "q", "Print only the name of the image"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let name: ImageName
        do { name = try ImageName(call.arguments[0]) } catch let error as ImageName.Malformed {
            throw CommandFailure(error.reason)
        }
        if name.digest != nil { throw CommandFailure("cannot push a digest reference") }
        let allTags = call.flags.bool("all-tags")
        if allTags, name.tag != nil { throw CommandFailure("tag can't be used with --all-tags/-a") }
        var query = Query()
        if !allTags { query.add("tag", name.tag ?? "latest") }
        if !allTags, name.tag == nil, !call.flags.bool("quiet") { call.output.line("Using default tag: latest") }
        if let platform = call.flags.optional("platform") {
            query.add("platform", ImagePlatform.json(platform).serialized())
        }
        let login = RegistryLogin(config: call.config).header(forHost: name.domain)
        let path = "/images/" + name.domain + "/" + name.path + "/push"
        let response = try call.client.send("POST", path, query, headers: [("X-Registry-Auth", login)])
        var display = ProgressDisplay(descriptor: 1, isSilent: call.flags.bool("quiet"))
        try display.show(JSONLines(response))
        if call.flags.bool("quiet") { call.output.line(name.full) }
    }
}
