// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import GoTemplate
import JSON
import LinuxSystem

/// What a log driver may tell of a container: docker's `logger.Info`.
struct LogInfo: Sendable {
    let id: String
    let name: String
    let imageID: String
    let imageName: String
    let created: Timestamp
    let command: String
    let labels: [(key: String, value: String)]
    let environment: [String]
    let options: LogOptions

    init(_ record: ContainerRecord, _ options: LogOptions) {
        (id, name, imageID, imageName) = (record.id, record.name, record.imageID, record.imageName)
        (created, labels, environment) = (record.created, record.config.labels, record.config.env)
        command = record.commandLine.joined(separator: " ")
        self.options = options
    }

    var shortID: String { String(id.prefix(12)) }

    /// The labels and variables that the options choose, sorted by key.
    func attributes() throws(EngineError) -> [(key: String, value: String)] {
        let variables = environment.map { text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (key: String(parts[0]), value: parts.count == 2 ? String(parts[1]) : "")
        }
        var chosen: [String: String] = [:]
        for (key, value) in try select(labels, "labels") + select(variables, "env") { chosen[key] = value }
        return chosen.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private func select(
        _ pairs: [(key: String, value: String)], _ option: String
    ) throws(EngineError) -> [(key: String, value: String)] {
        let names = options[option].split(separator: ",").map { String($0) }
        let pattern = options[option + "-regex"]
        guard !pattern.isEmpty else { return pairs.filter { names.contains($0.key) } }
        guard let regex = try? Regex(pattern) else {
            throw LogOptions.failure("error parsing regexp: invalid expression: `\(pattern)`")
        }
        return pairs.filter { names.contains($0.key) || $0.key.firstMatch(of: regex) != nil }
    }

    /// What the option `tag`, or else this template, makes of the container.
    func tag(default standard: String) throws(EngineError) -> String {
        let source = options["tag"].isEmpty ? standard : options["tag"]
        if source.isEmpty { return "" }
        let data = try record()
        do throws(TemplateError) { return try Template(source).render(.record(data)) } catch {
            throw LogOptions.failure(error.message)
        }
    }

    private func record() throws(EngineError) -> TemplateRecord {
        let extra = try attributes()
        return TemplateRecord(
            typeName: "logger.Info",
            fields: [
                ("ID", .string(shortID)), ("FullID", .string(id)), ("Name", .string(name)),
                ("ContainerName", .string("/" + name)), ("ContainerID", .string(id)),
                ("ImageID", .string(String(imageID.prefix(12)))), ("ImageFullID", .string(imageID)),
                ("ImageName", .string(imageName)), ("ContainerImageID", .string(imageID)),
                ("ContainerImageName", .string(imageName)), ("Command", .string(command)),
                ("Hostname", .string(MachineFacts().hostname)), ("DaemonName", "docker"),
                ("ExtraAttributes", .object(extra.map { JSONValue.Member($0.key, .string($0.value)) })),
            ])
    }

    /// The `attrs` of each line of a json-file log as JSON; empty if there are none.
    func lineAttributes() throws(EngineError) -> String {
        guard options.driver == "json-file" else { return "" }
        var all = try attributes()
        let tag = try tag(default: "")
        if !tag.isEmpty {
            all.removeAll { $0.key == "tag" }
            all.append(("tag", tag))
        }
        return all.isEmpty ? "" : JSONValue.sorted(all.map { ($0.key, .string($0.value)) }).serialized()
    }
}
