// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON
import LinuxSystem

/// `swrun context inspect`
enum ContextInspect {
    static let command = Command(
        "context inspect", usage: "[OPTIONS] [CONTEXT] [CONTEXT...]", "Show all that is known about contexts, as JSON",
        arity: .any, flags: { [Flag.inspectFormat] },
        run: run)

    private static func run(_ call: Invocation) throws {
        let store = ContextStore(call.config)
        let names = call.arguments.isEmpty ? [call.session.contextName] : nil
        try ObjectInspection(call: call, names: names).show { name in
            if name == "default" { return standard(call) }
            do throws(ClientError) { return try object(name, store) } catch { throw CommandFailure(error.message) }
        }
    }

    private static func standard(_ call: Invocation) -> JSONValue {
        let host = call.session.contextName == "default" ? call.client.host : DaemonHost.standard
        return [
            "Name": "default", "Metadata": [:],
            "Endpoints": ["docker": ["Host": .string(host.description), "SkipTLSVerify": false]], "TLSMaterial": [:],
            "Storage": ["MetadataPath": "<IN MEMORY>", "TLSPath": "<IN MEMORY>"],
        ]
    }

    private static func object(_ name: String, _ store: ContextStore) throws(ClientError) -> JSONValue {
        var json = try store.metadata(name)
        let files = store.keys(name).map(\.name)
        json.set("TLSMaterial", files.isEmpty ? [:] : ["docker": .strings(files)])
        json.set(
            "Storage",
            [
                "MetadataPath": .string(store.metadataDirectory(name).string),
                "TLSPath": .string(store.tlsDirectory(name).string),
            ])
        return json
    }
}
