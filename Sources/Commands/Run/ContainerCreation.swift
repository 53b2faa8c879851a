// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON
import LinuxSystem

/// Creates a container from `run`'s and `create`'s settings, pulling the image when it is missing.
struct ContainerCreation {
    let call: Invocation
    let settings: RunSettings

    /// The new container's id. The file for it is made first, so that no container stays whose id could not be kept.
    func run() throws -> String {
        let cidFile = call.flags.string("cidfile")
        if !cidFile.isEmpty, exists(FilePath(cidFile)) {
            let text = "container ID file found, make sure the other container isn't running or delete " + cidFile
            if call.command.path == "container create" { throw CommandFailure(text) }  // ends with 1, not with 125
            throw RunRefusal(text)
        }
        if cidFile.isEmpty { return try made() }
        try write("", to: cidFile)
        do {
            let id = try made()
            try write(id, to: cidFile)
            return id
        } catch {
            try? removeFile(FilePath(cidFile))
            throw error
        }
    }

    private func write(_ id: String, to path: String) throws {
        do throws(SysError) { try writeFileAtomically(FilePath(path), Array(id.utf8), mode: 0o644) } catch {
            throw CommandFailure("failed to create the container ID file: open " + path + ": " + error.errno.text)
        }
    }

    private func made() throws -> String {
        var body = try settings.body()
        let access = call.flags.bool("use-api-socket") ? try APISocketAccess(call) : nil
        let configuration = try access?.extend(&body)
        if !ImageName.isID(settings.image) { _ = try ImageName(settings.image) }
        if call.flags.string("pull") == "always" { try pull() }
        let answer = try createPullingIfMissing(body)
        for warning in answer["Warnings"]?.strings ?? [] { call.output.errorLine("WARNING: " + warning) }
        if let server = call.flags.list("dns").first(where: Self.isLoopback) {
            call.output.errorLine("WARNING: Localhost DNS (\(server)) may fail in containers.")
        }
        guard let id = answer["Id"]?.string else { throw CommandFailure("the daemon answered without a container id") }
        if let configuration { try access?.handOver(configuration, to: id, call.client) }
        return id
    }

    private static func isLoopback(_ address: String) -> Bool {
        address == "::1" || address.hasPrefix("127.") && IPPrefix.isAddress(address)
    }

    private func createPullingIfMissing(_ body: JSONValue) throws -> JSONValue {
        do throws(ClientError) { return try create(body) } catch {
            let text = error.message.lowercased()
            let isMissing =
                text.contains(text: "no such image") || text.contains(text: "does not match the specified platform")
            guard error.status == 404, isMissing, call.flags.string("pull") == "missing",
                !ImageName.isID(settings.image)
            else { throw error }
        }
        if !call.flags.bool("quiet") {
            call.output.errorLine(
                "Unable to find image '" + (try ImageName(settings.image).familiarTagged) + "' locally")
        }
        try pull()
        return try create(body)
    }

    private func create(_ body: JSONValue) throws(ClientError) -> JSONValue {
        var query = Query()
        if let name = settings.name, !name.isEmpty { query.add("name", name) }
        if let platform = platform { query.add("platform", platform) }
        return try call.client.json("POST", "/containers/create", query, body: .json(body))
    }

    private var platform: String? {
        call.flags.optional("platform").flatMap { $0.isEmpty ? nil : $0 }
            ?? Environment.nonEmpty("DOCKER_DEFAULT_PLATFORM")
    }

    /// Progress goes to stderr: stdout belongs to the container.
    private func pull() throws {
        try ImagePulling(client: call.client, config: call.config).pull(
            settings.image, platform: platform, isQuiet: call.flags.bool("quiet"), progressTo: 2)
    }
}
