// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import LinuxSystem

/// `swrun image import`
enum ImageImport {
    static let command = Command(
        "image import", aliases: ["import"], usage: "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
        "Import the contents from a tarball to create a filesystem image", arity: .between(1, 2),
        flags: {
            [
                .list("change", short: "c", "Apply Dockerfile instruction to the created image"),
                .string("message", short: "m", "Set commit message for imported image"),
                .string("platform", "Set platform if server is multi-platform capable"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let source = call.arguments[0]
        var query = Query([("fromSrc", source.contains(text: "://") ? source : "-")])
        if call.arguments.count == 2 {
            let name = try ImageName(call.arguments[1])
            query.add("repo", name.familiarName)
            query.add("tag", name.tag ?? "latest")
        }
        query.add("message", call.flags.string("message"))
        for change in call.flags.list("change") { query.add("changes", change) }
        if let platform = call.flags.optional("platform") { query.add("platform", platform) }
        var body = DockerClient.Body.none
        if !source.contains(text: "://") { body = try FileInput.stream(source == "-" ? nil : source) }
        let response = try call.client.send("POST", "/images/create", query, body: body)
        var display = ProgressDisplay(descriptor: 1)
        try display.show(JSONLines(response))
    }
}
