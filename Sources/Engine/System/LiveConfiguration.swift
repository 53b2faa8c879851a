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
    package var runtimes: [RuntimeEntry] {
        get { live.values.runtimes }
        set { live.update { $0.runtimes = newValue } }
    }
    package var defaultRuntime: String {
        get { live.values.defaultRuntime }
        set { live.update { $0.defaultRuntime = newValue } }
    }
    package var labels: [String] {
        get { live.values.labels }
        set { live.update { $0.labels = newValue } }
    }
    package var insecureRegistries: [String] {
        get { live.values.insecureRegistries }
        set { live.update { $0.insecureRegistries = newValue } }
    }
    package var registryMirrors: [String] {
        get { live.values.registryMirrors }
        set { live.update { $0.registryMirrors = newValue } }
    }
    package var isDebug: Bool {
        get { live.values.isDebug }
        set { live.update { $0.isDebug = newValue } }
    }
    package var authorizationPlugins: [String] {
        get { live.values.authorizationPlugins }
        set { live.update { $0.authorizationPlugins = newValue } }
    }
}
