// SPDX-License-Identifier: Apache-2.0
import DockerClient

/// `swrun image tag`
enum ImageTag {
    static let command = Command(
        "image tag", aliases: ["tag"], usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
        "Give an image a further name", arity: .exactly(2),
        run: run)

    static func run(_ call: Invocation) throws {
        if !ImageName.isID(call.arguments[0]) { _ = try name(call.arguments[0]) }
        let target = try name(call.arguments[1])
        if target.digest != nil { throw CommandFailure("refusing to create a tag with a digest reference") }
        let path = APIPath.image(call.arguments[0]) + "/tag"
        let query = Query([
            ("repo", target.domain == "docker.io" ? target.familiarName : target.familiarFull),
            ("tag", target.tag ?? "latest"),
        ])
        try call.client.perform("POST", path, query)
    }

    private static func name(_ text: String) throws -> ImageName {
        do { return try ImageName(text) } catch let error as ImageName.Malformed {
            throw CommandFailure(
                "Error parsing reference: " + text.quoted + " is not a valid repository/tag: " + error.reason)
        }
    }
}
