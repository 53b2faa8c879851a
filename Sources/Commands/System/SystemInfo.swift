// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import GoTemplate
import JSON
import LinuxSystem

/// `swrun system info`
enum SystemInfo {
    static let command = Command(
        "system info", aliases: ["info"], usage: "[OPTIONS]",
        "Show the state and the settings of the daemon", arity: .none,
        flags: {
            [
                Flag.inspectFormat
            ]
        },
        run: run)

    static func run(_ call: Invocation) throws {
        var info: JSONValue = .object([])
        var failure: ClientError?
        do throws(ClientError) { info = try call.client.json("GET", "/info") } catch { failure = error }
        let format = call.flags.optional("format") ?? ""
        if format.isEmpty {
            call.output.write(InfoText.client(call) + "\nServer:\n")
            if let failure { throw CommandFailure(failure.message) }
            call.output.write(InfoText(info).server)
            for warning in info["Warnings"]?.strings ?? [] { call.output.errorLine(warning) }
            return
        }
        info.set(
            "ClientInfo",
            [
                "Debug": false, "Version": .string(Version.number), "Context": .string(call.session.contextName),
                "Plugins": [], "Warnings": .null,
            ])
        let source = ListFormat.expandingEscapes(format == "json" ? "{{json .}}" : format)
        try TemplateOutput.show(source, info, call)
        if let failure { throw failure }
    }
}
