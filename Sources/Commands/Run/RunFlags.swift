// SPDX-License-Identifier: Apache-2.0
import Flags

extension Flag {
    /// Names of `run` and `create` that are accepted though the help does not show them.
    static var runAliases: [Flag] {
        [
            .value("net", named: "network", repeats: true, "Connect a container to a network").hiding(),
            .list("net-alias", "Add network-scoped alias for the container").hiding(),
            .list("dns-opt", "Set DNS options").hiding(),
        ]
    }
}
