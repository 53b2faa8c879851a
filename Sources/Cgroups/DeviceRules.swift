// SPDX-License-Identifier: Apache-2.0
package import OCISpec

extension RuntimeResources.DeviceRule {
    /// What every container may use, behind the rules of its own (config-linux.md, "Default Devices"): making any
    /// node, and the harmless devices, terminals and tun.
    package static let defaults: [RuntimeResources.DeviceRule] =
        [
            .init(isAllowed: true, type: "c", access: "m"), .init(isAllowed: true, type: "b", access: "m"),
        ]
        + [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2), (10, 200)].map {
            .init(isAllowed: true, type: "c", major: $0.0, minor: $0.1)
        } + [.init(isAllowed: true, type: "c", major: 136)]

    /// The line for devices.allow and devices.deny of cgroup v1.
    package var v1Text: String {
        if type == "a" { return "a" }
        let numbers = (major.map { String($0) } ?? "*") + ":" + (minor.map { String($0) } ?? "*")
        return type + " " + numbers + " " + access
    }

    /// Whether it speaks about everything; what stands before such a rule has no effect.
    var coversAll: Bool { type == "a" && major == nil && minor == nil && access.utf8.count == 3 }
}

/// The rules in the order in which they are applied. Without any rule of the container nothing is restricted.
package func effectiveDeviceRules(_ rules: [RuntimeResources.DeviceRule]) -> [RuntimeResources.DeviceRule] {
    rules.isEmpty ? [] : rules + RuntimeResources.DeviceRule.defaults
}

/// A rule that cgroup v1 can express: a rule on all types but certain numbers or accesses becomes one for each type.
package func expandedForV1(_ rule: RuntimeResources.DeviceRule) -> [RuntimeResources.DeviceRule] {
    guard rule.type == "a", !rule.coversAll else { return [rule] }
    return ["b", "c"].map { type in
        var one = rule
        one.type = type
        return one
    }
}
