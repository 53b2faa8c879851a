// SPDX-License-Identifier: Apache-2.0
import JSON

/// A plugin that makes volumes, by docker's protocol. The volumes are the plugin's: it may have some that nobody here has
/// asked for, and may lose some that we know.
///
///     POST /VolumeDriver.Create  {"Name", "Opts"}     → {}
///     POST /VolumeDriver.Mount   {"Name", "ID"}       → {"Mountpoint"}   once for each container that uses it
///     POST /VolumeDriver.Get     {"Name"}             → {"Volume": {"Name", "Mountpoint", "CreatedAt", "Status"}}
///     POST /VolumeDriver.Capabilities                 → {"Capabilities": {"Scope": "local" or "global"}}
struct VolumePlugin: Sendable {
    /// A volume as the plugin tells of it.
    struct Volume: Sendable, Equatable {
        var name: String
        /// Where it is mounted; empty if it is not.
        var mountpoint = ""
        /// RFC 3339.
        var created = VolumePlugin.unknownTime
        /// Whatever the plugin has to say about it.
        var status: JSONValue?

        /// nil for what has no name.
        init?(json: JSONValue?) {
            guard let json, let name = json["Name"]?.string, !name.isEmpty else { return nil }
            self.name = name
            mountpoint = json["Mountpoint"]?.string ?? ""
            if let created = json["CreatedAt"]?.string, !created.isEmpty { self.created = created }
            if let status = json["Status"], status.members?.isEmpty == false { self.status = status }
        }
    }

    static let kind = "VolumeDriver"
    /// What docker shows where a plugin does not say when it made a volume.
    static let unknownTime = "0001-01-01T00:00:00Z"

    private static let longLimit = Duration.seconds(120)
    private static let limit = Duration.seconds(60)
    /// For questions to every plugin, which nobody has asked this one in particular.
    static let surveyLimit = Duration.seconds(10)

    let plugin: Plugin
    /// `local`, or `global` for volumes that are the same on several machines.
    var scope = "local"

    var name: String { plugin.name }

    /// Asks what it can do; who does not say has volumes of this machine.
    init(_ plugin: Plugin) async {
        self.plugin = plugin
        let answer = try? await plugin.call(
            "VolumeDriver.Capabilities", [:], within: Self.surveyLimit, isPatient: false)
        if answer?["Capabilities"]?["Scope"]?.string?.lowercased() == "global" { scope = "global" }
    }

    func create(_ volume: String, options: [String: String]?) async throws(PluginError) {
        let options = options.map { JSONValue.sorted($0.map { ($0.key, .string($0.value)) }) }
        _ = try await call("Create", ["Name": .string(volume), "Opts": options ?? .null], Self.longLimit)
    }

    func remove(_ volume: String) async throws(PluginError) { _ = try await call("Remove", ["Name": .string(volume)]) }

    /// Where the volume is from now on until the use `id` of it ends.
    func mount(_ volume: String, for id: String) async throws(PluginError) -> String {
        let answer = try await call("Mount", ["Name": .string(volume), "ID": .string(id)], Self.longLimit)
        return answer["Mountpoint"]?.string ?? ""
    }

    func unmount(_ volume: String, for id: String) async throws(PluginError) {
        _ = try await call("Unmount", ["Name": .string(volume), "ID": .string(id)])
    }

    /// nil if the plugin does not have it, whatever it says to that.
    func find(_ volume: String, isPatient: Bool = true) async throws(PluginError) -> Volume? {
        do throws(PluginError) {
            let limit = isPatient ? Self.limit : Self.surveyLimit
            let answer = try await plugin.call(
                "VolumeDriver.Get", ["Name": .string(volume)], within: limit, isPatient: isPatient)
            return Volume(json: answer["Volume"])
        } catch {
            if case .refused(let status) = error.reason, status > 0 { return nil }
            throw error
        }
    }

    func list() async throws(PluginError) -> [Volume] {
        let answer = try await plugin.call("VolumeDriver.List", [:], within: Self.surveyLimit, isPatient: false)
        return (answer["Volumes"]?.array ?? []).compactMap { Volume(json: $0) }
    }

    private func call(
        _ method: String, _ json: JSONValue, _ limit: Duration = limit
    ) async throws(PluginError) -> JSONValue {
        try await plugin.call("VolumeDriver." + method, json, within: limit)
    }
}
