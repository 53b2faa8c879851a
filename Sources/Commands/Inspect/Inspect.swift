// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun inspect`
enum Inspect {
    static let command = Command(
        "inspect", usage: "[OPTIONS] NAME|ID [NAME|ID...]",
        "Show all that is known about objects of any kind, as JSON", arity: .atLeast(1),
        flags: {
            [
                Flag.inspectFormat,
                .bool("size", short: "s", "For containers, include the sizes of their files"),
                .string("type", "Kind of object to look for: \"container\", \"image\", \"network\", \"volume\", …"),
            ]
        },
        run: run)

    private static let kinds = [
        "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume",
    ]

    static func run(_ call: Invocation) throws {
        let wanted = call.flags.string("type")
        if call.flags.isSet("type"), !kinds.contains(wanted) {
            let complaint = wanted.isEmpty ? "type is empty" : "unknown type: " + wanted.quoted
            throw CommandFailure(complaint + ": must be one of " + kinds.map(\.quoted).joined(separator: ", "))
        }
        if call.flags.bool("size"), !["", "container"].contains(wanted) {
            call.output.errorLine("WARNING: --size ignored for " + wanted)
        }
        try ObjectInspection(call: call).show { name in
            try find(call, name, wanted.isEmpty ? ["container", "image", "network", "volume"] : [wanted])
        }
    }

    /// The first object of these kinds that has the name.
    private static func find(_ call: Invocation, _ name: String, _ kinds: [String]) throws -> JSONValue {
        for kind in kinds {
            do throws(ClientError) { return try call.client.json("GET", path(kind, name), query(call, kind)) } catch {
                guard let status = error.status else { throw error }
                // An answer that is not "no such object" is the answer, unless other kinds are still to be asked.
                let isNoName = error.message.contains(text: "invalid reference format")
                let isNoSuch = status == 404 || status == 503 || isNoName
                if kinds.count == 1 || !isNoSuch { throw error }
            }
        }
        throw CommandFailure("Error: No such object: " + name)
    }

    private static func path(_ kind: String, _ name: String) -> String {
        let encoded = APIPath.segment(name)
        switch kind {
        case "container", "image": return "/" + kind + "s/" + encoded + "/json"
        case "plugin": return "/plugins/" + encoded + "/json"
        default: return "/" + kind + "s/" + encoded
        }
    }

    private static func query(_ call: Invocation, _ kind: String) -> Query {
        Query(kind == "container" && call.flags.bool("size") ? [("size", "1")] : [])
    }
}
