// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Threads

// Volumes that are mounted while containers that have them run: file systems of their own (`LocalMount`), over `_data`, and
// those of plugins, where the plugin says.
extension VolumeService {
    /// Where a volume is for a container that starts. What has to be mounted for it stays until `unmount(container:)`.
    package func mount(_ name: String, for container: String) async throws(EngineError) -> VolumeMount {
        let volume = try await mount(name)
        let record = try record(name)
        if !record.isLocal { return try await mountByPlugin(record, for: container) }
        guard let request = LocalDriverOptions.request(record.options ?? [:]) else { return volume }
        let path = dataDirectory(name)
        if request.isBind {
            do { try await runOnThread { try request.requireSource(for: path) } } catch { throw EngineError(error) }
            return volume
        }
        holders[name, default: []].insert(container)
        // Owned by `mounting`, and ends with the mount. A server that does not answer holds up nobody else.
        let task = mounting[name] ?? Task { try await runOnThread { try request.mount(on: path) } }
        mounting[name] = task
        do { try await task.value } catch {
            mounting[name] = nil
            release(name, from: container)
            throw EngineError(error)
        }
        return volume
    }

    /// A container's run has ended: what no other one uses is unmounted.
    package func unmount(container: String) async {
        for name in pluginMounts.keys.sorted() { await unmountByPlugin(name, for: container) }
        for name in holders.keys where holders[name]?.contains(container) == true { release(name, from: container) }
    }

    private func release(_ name: String, from container: String) {
        holders[name]?.remove(container)
        guard holders[name]?.isEmpty == true else { return }
        holders[name] = nil
        mounting[name] = nil
        try? unmountAll(dataDirectory(name))
    }

    /// After a start of the daemon: containers that run still use their volumes, others do not.
    func adoptMounts(of running: Set<String>, _ store: VolumeStore) throws(EngineError) {
        for (name, container) in try store.mounts() { pluginMounts[name, default: [:]][container] = FilePath("") }
        for volume in try store.list() where volume.isLocal && LocalDriverOptions.mount(volume.options ?? [:]) != nil {
            let users = running.intersection(try store.users(of: volume.name))
            if users.isEmpty { try? unmountAll(dataDirectory(volume.name)) } else { holders[volume.name] = users }
        }
    }

    /// Mounts the volumes among these that have to be mounted, for somebody who looks into them from outside of containers
    /// (`docker cp`); nil if there are none.
    package func hold(_ names: [String]) async throws(EngineError) -> VolumeHold? {
        var hold: VolumeHold?
        for name in Set(names) {
            let volume = try record(name)
            if volume.isLocal, LocalDriverOptions.mount(volume.options ?? [:]) == nil { continue }
            let current = hold ?? VolumeHold(self)
            hold = current
            do throws(EngineError) { current.add(try await mount(name, for: current.id)) } catch {
                await current.release()
                throw error
            }
        }
        return hold
    }
}
