// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun context create` and `swrun context update`
enum ContextCreate {
    static let command = Command(
        "context create", usage: "[OPTIONS] CONTEXT", "Add a context", arity: .exactly(1),
        flags: {
            [
                .string("description", "Text that context ls shows"), ContextEndpoint.flag,
                .string("from", "Context to take the daemon of"),
            ]
        },
        run: create)

    static let updateCommand = Command(
        "context update", usage: "[OPTIONS] CONTEXT", "Change a context", arity: .exactly(1),
        flags: { [.string("description", "Text that context ls shows"), ContextEndpoint.flag] },
        run: update)

    private static func create(_ call: Invocation) throws {
        let store = ContextStore(call.config)
        let name = call.arguments[0]
        try ContextStore.check(name)
        try store.checkAbsent(name)
        let endpoint: ContextEndpoint
        if let fields = try ContextEndpoint.fields(call.flags) {
            if call.flags.isSet("from") { throw CommandFailure("cannot use --docker flag when --from is set") }
            endpoint = try ContextEndpoint(fields, store, current: call.client.host)
        } else if let other = call.flags.optional("from") {
            endpoint = try ContextEndpoint(copying: other, store, current: call.client.host)
        } else {
            endpoint = try ContextEndpoint(copying: "default", store, current: call.client.host)
        }
        var details: JSONValue = [:]
        if !call.flags.isSet("docker"), let other = call.flags.optional("from"), other != "default" {
            details = try store.metadata(other)["Metadata"] ?? [:]
        }
        if let text = call.flags.optional("description"), !text.isEmpty { details.set("Description", .string(text)) }
        try store.save(
            name, ["Name": .string(name), "Metadata": details, "Endpoints": ["docker": endpoint.json]])
        try store.saveKeys(name, endpoint.keys)
        call.output.line(name)
        call.output.errorLine("Successfully created context \"\(name)\"")
    }

    private static func update(_ call: Invocation) throws {
        let store = ContextStore(call.config)
        let name = call.arguments[0]
        try ContextStore.check(name)
        var metadata = try store.metadata(name)
        if let text = call.flags.optional("description") {
            var details = metadata["Metadata"] ?? [:]
            details.set("Description", .string(text))
            metadata.set("Metadata", details)
        }
        let fields = try ContextEndpoint.fields(call.flags)
        let endpoint = try fields.map { try ContextEndpoint($0, store, current: call.client.host) }
        if let endpoint { metadata.set("Endpoints", ["docker": endpoint.json]) }
        try store.save(name, metadata)
        if let endpoint { try store.saveKeys(name, endpoint.keys) }
        call.output.line(name)
        call.output.errorLine("Successfully updated context \"\(name)\"")
    }
}
