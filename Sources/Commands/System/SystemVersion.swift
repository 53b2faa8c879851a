// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import GoTemplate
import JSON
import LinuxSystem

/// `swrun version`
enum SystemVersion {
    static let command = Command(
        "version", usage: "[OPTIONS]",
        "Show the versions of this program and of the daemon", arity: .none,
        flags: {
            [
                Flag.inspectFormat
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        var info: JSONValue = ["Client": client(call)]
        var failure: ClientError?
        do throws(ClientError) {
            info.set("Server", try call.client.json("GET", "/version"))
            info.set("Client", client(call))
        } catch { failure = error }
        let format = call.flags.optional("format") ?? ""
        if format.isEmpty {
            call.output.write(text(info))
        } else {
            let source = ListFormat.expandingEscapes(format == "json" ? "{{json .}}" : format)
            try TemplateOutput.show(source, info, call)
        }
        if let failure { throw failure }
    }

    private static func client(_ call: Invocation) -> JSONValue {
        let version = (try? call.client.version()) ?? DockerClient.newestVersion
        return [
            "Version": .string(Version.number), "ApiVersion": .string(version),
            "DefaultAPIVersion": .string(DockerClient.newestVersion), "GitCommit": .string(Version.commit),
            "Os": "linux", "Arch": .string(Machine.architecture), "Context": .string(call.session.contextName),
        ]
    }

    private static func text(_ info: JSONValue) -> String {
        let client = info["Client"] ?? .null
        func value(_ object: JSONValue?, _ key: String) -> String { object?[key]?.string ?? "" }
        var api = value(client, "ApiVersion")
        if api != value(client, "DefaultAPIVersion") {
            api += " (downgraded from " + value(client, "DefaultAPIVersion") + ")"
        }
        var out = "Client:\n"
        out += " Version:           " + value(client, "Version") + "\n"
        out += " API version:       " + api + "\n"
        out += " Git commit:        " + value(client, "GitCommit") + "\n"
        out += " OS/Arch:           " + value(client, "Os") + "/" + value(client, "Arch") + "\n"
        out += " Context:           " + value(client, "Context") + "\n"
        guard let server = info["Server"], !server.isNull else { return out }
        let platform = value(server["Platform"], "Name")
        out += "\nServer:" + (platform.isEmpty ? "" : " " + platform) + "\n"
        for component in server["Components"]?.array ?? [] { out += text(ofComponent: component) }
        return out
    }

    private static func text(ofComponent component: JSONValue) -> String {
        let name = component["Name"]?.string ?? ""
        var out = " " + name + ":\n  Version:          " + (component["Version"]?.string ?? "") + "\n"
        var details = component["Details"]?.stringPairs ?? []
        func take(_ key: String) -> String? {
            guard let index = details.firstIndex(where: { $0.key == key }) else { return nil }
            return details.remove(at: index).value
        }
        guard name == "Engine" else {
            for detail in details.sorted(by: { $0.key < $1.key }) { out += line(detail.key, detail.value) }
            return out
        }
        let (api, least) = (take("ApiVersion") ?? "", take("MinAPIVersion") ?? "")
        out += line("API version", api + " (minimum version " + least + ")")
        if let go = take("GoVersion"), !go.isEmpty { out += line("Go version", go) }
        out += line("Git commit", take("GitCommit") ?? "")
        if let built = take("BuildTime"), !built.isEmpty {
            out += line("Built", Timestamp(rfc3339: built).map(LocalTime.ansiC) ?? built)
        }
        out += line("OS/Arch", (take("Os") ?? "") + "/" + (take("Arch") ?? ""))
        out += line("Experimental", take("Experimental") ?? "false")
        return out
    }

    private static func line(_ key: String, _ value: String) -> String {
        "  " + key + ":" + String(repeating: " ", count: max(1, 17 - key.utf8.count)) + value + "\n"
    }
}
