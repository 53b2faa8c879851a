// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// How a container is started, as the command line says it.
package struct LaunchOptions: Sendable, Equatable {
    package var bundle: FilePath
    /// The bundle's config.json, or another one (`--config`, as crun has it).
    package var config: FilePath
    package var consoleSocket: FilePath?
    package var pidFile: FilePath?
    /// Where a pidfd of the process is sent.
    package var pidfdSocket: FilePath?
    /// Where the container says that it is ready; nil if nobody asked to be told.
    package var notifySocket: NotifySocket?
    /// A container that asks for no cgroup and no limit gets no cgroup where none may be made.
    package var mayLackCgroups = false
    /// The cgroup is a unit of systemd's.
    package var usesSystemd = false
    /// The container stays in the caller's cgroups, without limits.
    package var usesNoCgroups = false
    package var noPivot = false
    package var noNewKeyring = false
    /// Descriptors from 3 on that the program gets.
    package var preservedDescriptors: UInt32 = 0

    package init(bundle: FilePath, config: FilePath? = nil) {
        self.bundle = bundle
        self.config = config ?? bundle / "config.json"
    }
}
