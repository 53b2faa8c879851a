// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The plugins that make volumes; each is asked what it can do when it is first used.
package final class VolumePlugins: Sendable {
    private let plugins: Plugins
    private let known = Mutex<[String: VolumePlugin]>([:])

    package init(_ plugins: Plugins) { self.plugins = plugins }

    /// The driver of this name, which may be about to start.
    func driver(_ name: String) async throws(EngineError) -> VolumePlugin {
        if let driver = known.withLock({ $0[name] }) { return driver }
        do throws(PluginError) {
            return await adopt(try await plugins.find(name, VolumePlugin.kind))
        } catch {
            let error = EngineError(error)
            throw EngineError(error.kind, "error looking up volume plugin \(name): \(error.message)")
        }
    }

    /// All that are there.
    func all() async -> [VolumePlugin] {
        var drivers: [VolumePlugin] = []
        for plugin in await plugins.all(VolumePlugin.kind) { drivers.append(await adopt(plugin)) }
        return drivers
    }

    /// One that did not answer may come back at another place.
    func forget(_ name: String) {
        plugins.forget(name)
        known.withLock { _ = $0.removeValue(forKey: name) }
    }

    private func adopt(_ plugin: Plugin) async -> VolumePlugin {
        if let driver = known.withLock({ $0[plugin.name] }) { return driver }
        let driver = await VolumePlugin(plugin)
        known.withLock { $0[plugin.name] = driver }
        return driver
    }
}
