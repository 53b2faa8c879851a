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

extension EngineConfiguration {
    /// The live values as members.
    package subscript<Value>(dynamicMember path: WritableKeyPath<LiveConfiguration.Values, Value>) -> Value {
        get { live.values[keyPath: path] }
        nonmutating set { live.update { $0[keyPath: path] = newValue } }
    }
}
