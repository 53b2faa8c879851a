// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Synchronization

/// Keeps volumes mounted until it is released, or gone.
package final class VolumeHold: Sendable {
    private struct State {
        var sources: [String: FilePath] = [:]
        var isReleased = false
    }

    /// What stands for a container.
    let id = randomIdentifier()
    private let volumes: VolumeService
    private let state = Mutex(State())

    init(_ volumes: VolumeService) { self.volumes = volumes }

    deinit {
        if state.withLock({ $0.isReleased }) { return }
        // Owned by nobody: ends with the unmounting.
        Task { [volumes, id] in await volumes.unmount(container: id) }
    }

    func add(_ mount: VolumeMount) { state.withLock { $0.sources[mount.name] = mount.source } }

    /// Where a volume is mounted; nil if this does not hold it.
    func source(of name: String) -> String? { state.withLock { $0.sources[name]?.string } }

    /// Unmounts them, unless that is done.
    func release() async {
        let isFirst = state.withLock { state in
            defer { state.isReleased = true }
            return !state.isReleased
        }
        if isFirst { await volumes.unmount(container: id) }
    }
}
