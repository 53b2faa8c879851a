// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import ShimAPI

/// Puts a container's root file system together in its bundle, and takes it apart.
enum RootFilesystem {
    static func mount(_ mounts: [Mount], at root: FilePath) throws(SysError) {
        guard !mounts.isEmpty else { return }
        try makeDirectory(root, mode: 0o711)
        do throws(SysError) {
            for mount in mounts {
                let target = mount.target.utf8.isEmpty ? root : root / mount.target
                try LinuxSystem.mount(mount.source, on: target, type: mount.type, options: mount.options)
            }
        } catch {
            _ = try? unmountAll(root)
            throw error
        }
    }

    static func unmount(_ root: FilePath) throws(SysError) { try unmountAll(root) }
}
