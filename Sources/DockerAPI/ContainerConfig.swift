// SPDX-License-Identifier: Apache-2.0
package import JSON

/// The portable half of a container's configuration: what also an image has (`Config` of inspect).
package struct ContainerConfig: Sendable, Equatable {
    /// In docker's order and with docker's zero values.
    package private(set) var json: JSONValue

    package init(json: JSONValue) throws(FieldError) {
        self.json = try Self.table.normalize(json)
    }

    private static let table = FieldTable(
        "ContainerConfigWrapper.Config",
        [
            .init("Hostname", .string), .init("Domainname", .string), .init("User", .string),
            .init("AttachStdin", .bool), .init("AttachStdout", .bool), .init("AttachStderr", .bool),
            .init("ExposedPorts", .object, omitsEmpty: true),
            .init("Tty", .bool), .init("OpenStdin", .bool), .init("StdinOnce", .bool),
            .init("Env", .strings), .init("Cmd", .stringOrStrings), .init("Healthcheck", .object, omitsEmpty: true),
            .init("ArgsEscaped", .bool, omitsEmpty: true), .init("Image", .string), .init("Volumes", .object),
            .init("WorkingDir", .string), .init("Entrypoint", .stringOrStrings),
            .init("NetworkDisabled", .bool, omitsEmpty: true), .init("MacAddress", .string, omitsEmpty: true),
            .init("OnBuild", .strings), .init("Labels", .stringMap),
            .init("StopSignal", .string, omitsEmpty: true), .init("StopTimeout", .int, empty: .null, omitsEmpty: false),
            .init("Shell", .stringOrStrings, omitsEmpty: true),
        ])

    // MARK: Members

    package var hostname: String {
        get { text("Hostname") }
        set { json.set("Hostname", .string(newValue)) }
    }
    package var domainname: String { text("Domainname") }
    package var user: String {
        get { text("User") }
        set { json.set("User", .string(newValue)) }
    }
    package var tty: Bool { flag("Tty") }
    package var openStdin: Bool { flag("OpenStdin") }
    package var stdinOnce: Bool { flag("StdinOnce") }
    package var image: String { text("Image") }
    package var networkDisabled: Bool { flag("NetworkDisabled") }
    package var env: [String] {
        get { json["Env"]?.strings ?? [] }
        set { json.set("Env", .strings(newValue)) }
    }
    /// nil if absent, which differs from an empty list when an image's values are merged in.
    package var command: [String]? {
        get { json["Cmd"]?.strings }
        set { json.set("Cmd", newValue.map { .strings($0) } ?? .null) }
    }
    package var entrypoint: [String]? {
        get { json["Entrypoint"]?.strings }
        set { json.set("Entrypoint", newValue.map { .strings($0) } ?? .null) }
    }
    package var workingDirectory: String {
        get { text("WorkingDir") }
        set { json.set("WorkingDir", .string(newValue)) }
    }
    package var labels: [(key: String, value: String)] {
        get { json["Labels"]?.stringPairs ?? [] }
        set { json.set("Labels", .sorted(newValue.map { ($0.key, .string($0.value)) })) }
    }
    package var stopSignal: String { text("StopSignal") }
    /// Seconds; nil if the default applies.
    package var stopTimeout: Int? { json["StopTimeout"]?.int.map { Int($0) } }
    package var volumes: [String] { (json["Volumes"] ?? .null).pairs.map { $0.key } }
    package var exposedPorts: [String] { (json["ExposedPorts"] ?? .null).pairs.map { $0.key } }

    /// Replaces one member; the order is docker's again afterwards.
    package mutating func set(_ name: String, _ value: JSONValue) {
        json.set(name, value)
        if let normal = try? Self.table.normalize(json) { json = normal }
    }

    /// What inspect prints: members that Go leaves out while they are nil are absent.
    package var inspectJSON: JSONValue {
        .object((json.members ?? []).filter { !($0.key == "StopTimeout" && $0.value.isNull) })
    }

    private func text(_ name: String) -> String { json[name]?.string ?? "" }
    private func flag(_ name: String) -> Bool { json[name]?.bool ?? false }
}
