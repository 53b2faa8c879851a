// SPDX-License-Identifier: Apache-2.0
import JSON
import Synchronization

/// The plugins that docker calls legacy: programs beside the daemon that make volumes or networks, give addresses, or
/// allow requests. One is looked up when somebody names it, and is asked once what it can do:
///
///     POST /Plugin.Activate → {"Implements": ["VolumeDriver"]}
package final class Plugins: Sendable {
    private struct State {
        var active: [String: Plugin] = [:]
        var activating: [String: Task<Plugin, any Error>] = [:]
    }

    private static let activationLimit = Duration.seconds(30)
    /// When nobody has asked for that plugin in particular.
    private static let scanLimit = Duration.seconds(5)

    private let directories: PluginDirectories
    private let state = Mutex(State())

    package init(directories: [String] = PluginDirectories.standard) {
        self.directories = PluginDirectories(directories)
    }

    /// The plugin of this name, which can do `kind`.
    ///
    /// - Parameter isPatient: looks again for a while if it is not there, as it may be about to start.
    func find(_ name: String, _ kind: String, isPatient: Bool = true) async throws(PluginError) -> Plugin {
        let plugin = try await active(name, isPatient: isPatient)
        guard plugin.kinds.contains(kind) else {
            let frame = "Plugin does not implement the requested driver: "
            throw PluginError(.unsuitable, frame + "plugin=\"\(name)\", requested implementation=\"\(kind)\"")
        }
        return plugin
    }

    /// All that are there, answer and can do `kind`.
    func all(_ kind: String) async -> [Plugin] {
        let names = directories.names()
        if names.isEmpty { return [] }
        return await withTaskGroup(of: Plugin?.self) { group in
            for name in names {
                group.addTask { [self] in
                    if let plugin = known(name) { return plugin }
                    return try? await activate(name, within: Self.scanLimit, isPatient: false)
                }
            }
            var found: [Plugin] = []
            for await plugin in group { if let plugin, plugin.kinds.contains(kind) { found.append(plugin) } }
            return found.sorted { $0.name < $1.name }
        }
    }

    /// The names of those that have been asked so far and can do `kind`.
    func active(_ kind: String) -> [String] {
        state.withLock { state in state.active.values.filter { $0.kinds.contains(kind) }.map(\.name).sorted() }
    }

    /// The next who asks for it looks it up again.
    func forget(_ name: String) { state.withLock { _ = $0.active.removeValue(forKey: name) } }

    // MARK: Parts

    private func known(_ name: String) -> Plugin? { state.withLock { $0.active[name] } }

    /// Several who ask at once share one activation.
    private func active(_ name: String, isPatient: Bool) async throws(PluginError) -> Plugin {
        let task = state.withLock { state -> Task<Plugin, any Error> in
            if let plugin = state.active[name] { return Task { plugin } }
            if isPatient, let task = state.activating[name] { return task }
            // Owned by `activating`, and ends with the activation.
            let task = Task { [self] in
                defer { if isPatient { didTryActivating(name) } }
                return try await activate(name, within: Self.activationLimit, isPatient: isPatient)
            }
            if isPatient { state.activating[name] = task }
            return task
        }
        do { return try await task.value } catch {
            throw error as? PluginError ?? PluginError(.unreachable, "\(error)")
        }
    }

    private func didTryActivating(_ name: String) {
        state.withLock { _ = $0.activating.removeValue(forKey: name) }
    }

    private func activate(_ name: String, within limit: Duration, isPatient: Bool) async throws(PluginError) -> Plugin {
        let address = try await address(of: name, isPatient: isPatient)
        var plugin = Plugin(name: name, address: address)
        let answer = try await plugin.call("Plugin.Activate", within: limit, isPatient: isPatient)
        plugin.kinds = Set(answer["Implements"]?.strings ?? [])
        let active = plugin
        state.withLock { $0.active[name] = active }
        return active
    }

    private func address(of name: String, isPatient: Bool) async throws(PluginError) -> PluginAddress {
        var pauses = (isPatient && directories.mayCome(name) ? Plugin.pauses : [])[...]
        while true {
            if let address = try directories.address(of: name) { return address }
            guard let pause = pauses.popFirst(), (try? await Task.sleep(for: pause)) != nil else {
                throw PluginError(.notFound, "plugin \"\(name)\" not found")
            }
        }
    }
}
