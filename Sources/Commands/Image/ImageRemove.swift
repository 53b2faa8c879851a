// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun image rm`
enum ImageRemove {
    static let command = Command(
        "image rm", aliases: ["image remove", "rmi"], usage: "[OPTIONS] IMAGE [IMAGE...]",
        "Remove image names, and images that have no name left", arity: .atLeast(1),
        flags: {
            [
                .bool(
                    "force", short: "f", "Remove the image even if it has several names or a stopped container uses it"),
                .bool("no-prune", "Keep parent images that have no name"),
                .value(
                    "platform", named: "strings", repeats: true,
                    "Only platform to remove, as os[/arch[/variant]], e.g. linux/arm64"),
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        let force = call.flags.bool("force")
        var query = Query()
        query.add("force", if: force)
        query.add("noprune", if: call.flags.bool("no-prune"))
        for platform in call.flags.commaList("platform") {
            query.add("platforms", ImagePlatform.json(platform).serialized())
        }
        var failures: [String] = []
        var exitCode: Int32 = 0
        for name in call.arguments {
            do throws(ClientError) {
                let path = APIPath.image(name)
                for item in try call.client.json("DELETE", path, query).array ?? [] {
                    if let deleted = item["Deleted"]?.string, !deleted.isEmpty {
                        call.output.line("Deleted: " + deleted)
                    }
                    if let untagged = item["Untagged"]?.string, !untagged.isEmpty {
                        call.output.line("Untagged: " + untagged)
                    }
                }
            } catch {
                guard let status = error.status else { throw error }
                failures.append(error.message)
                if !(force && status == 404) { exitCode = 1 }
            }
        }
        if failures.isEmpty { return }
        if exitCode != 0 { throw CommandFailure(failures.joined(separator: "\n")) }
        call.output.errorLine(failures.joined(separator: "\n"))
    }
}
