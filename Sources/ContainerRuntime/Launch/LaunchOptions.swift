// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// How a container is started, as the command line says it.
package struct LaunchOptions: Sendable, Equatable {
    package var bundle: FilePath
    package var consoleSocket: FilePath?
    package var pidFile: FilePath?
    /// Where a pidfd of the process is sent.
    package var pidfdSocket: FilePath?
    package var noPivot = false
    package var noNewKeyring = false
    /// Descriptors from 3 on that the program gets.
    package var preservedDescriptors: UInt32 = 0

    package init(bundle: FilePath) { self.bundle = bundle }
}
