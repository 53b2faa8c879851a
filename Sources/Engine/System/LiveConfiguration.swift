// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The settings that a reload of the configuration file changes while the daemon runs. All copies of an
/// `EngineConfiguration` share one.
package final class LiveConfiguration: Sendable {
    package struct Values: Sendable {
        package var runtimes: [RuntimeEntry] = []
        package var defaultRuntime = "swrun"
        package var labels: [String] = []
        package var insecureRegistries: [String] = []
        package var registryMirrors: [String] = []
        package var isDebug = false
        package var authorizationPlugins: [String] = []
        package var defaultShmSize: Int64 = 64 << 20
        /// `--default-ipc-mode`, `--default-cgroupns-mode`; empty is docker's choice.
        package var defaultIPCMode = ""
        package var defaultCgroupNamespaceMode = ""
        package var downloads = TransferLimits(parallel: 3, attempts: 5)
        package var uploads = TransferLimits(parallel: 5)
        /// Containers run on when the daemon is stopped (`--live-restore`).
        package var liveRestore = true
        /// Seconds that containers have at least to end, where the daemon's stop ends them; -1 for no limit.
        package var shutdownTimeout = 15

        package init() {}
    }

    private let state = Mutex(Values())

    package init() {}

    package var values: Values {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }

    package func update(_ change: (inout Values) -> Void) { state.withLock { change(&$0) } }
}

/// How much of one pull or push is done at a time, and how often each part is tried; 0 means without limit.
package struct TransferLimits: Sendable, Equatable {
    package var parallel: Int
    /// nil leaves it to the supervisor.
    package var attempts: Int?

    package init(parallel: Int, attempts: Int? = nil) {
        self.parallel = parallel
        self.attempts = attempts
    }
}

extension EngineConfiguration {
    /// The live values as members.
    package subscript<Value>(dynamicMember path: WritableKeyPath<LiveConfiguration.Values, Value>) -> Value {
        get { live.values[keyPath: path] }
        nonmutating set { live.update { $0[keyPath: path] = newValue } }
    }
}
