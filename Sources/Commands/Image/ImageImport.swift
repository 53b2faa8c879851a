// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import LinuxSystem

/// `swrun image import`
enum ImageImport {
    static let command = Command(
        "image import", aliases: ["import"], usage: "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
        "Make an image of one layer from a tar archive of files", arity: .atLeast(1),
        flags: {
            [
                .list(
                    "change", short: "c", "Dockerfile instruction that changes the image's settings, e.g. \"CMD sh\""),
                .string("message", short: "m", "Comment to record in the image's history"),
                .platform("Platform to record in the image"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let source = call.arguments[0]
        var query = Query([("fromSrc", source.contains(text: "://") ? source : "-")])
        var body = DockerClient.Body.none
        if !source.contains(text: "://") { body = try FileInput.stream(source == "-" ? nil : source) }
        if call.arguments.count >= 2 {
            let name = try ImageName(call.arguments[1])
            query.add("repo", name.familiarName)
            query.add("tag", name.tag ?? "latest")
        }
        query.add("message", call.flags.string("message"))
        for change in call.flags.list("change") { query.add("changes", change) }
        if let platform = call.flags.optional("platform") { query.add("platform", platform) }
        let response = try call.client.send("POST", "/images/create", query, body: body)
        var display = ProgressDisplay(descriptor: 1)
        try display.show(JSONLines(response))
    }
}
