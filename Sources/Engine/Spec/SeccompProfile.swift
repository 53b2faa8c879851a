// SPDX-License-Identifier: Apache-2.0
package import JSON

/// Makes the `linux.seccomp` object of a runtime spec, from our default policy or from a profile of the user's.
package enum SeccompProfile {
    /// The default policy for a container that has these capabilities.
    package static func standard(capabilities: [String], architecture: String) -> JSONValue {
        var rules = [allow(SeccompDefault.always)]
        rules += socketRules()
        rules += SeccompDefault.personalities.map { rule(["personality"], "SCMP_ACT_ALLOW", [argument(0, $0, "EQ")]) }
        for group in SeccompDefault.byArchitecture where group.architectures.contains(architecture) {
            rules.append(allow(group.names))
        }
        for group in SeccompDefault.byCapability where capabilities.contains(group.capability) {
            rules.append(allow(group.names))
        }
        if !capabilities.contains("CAP_SYS_ADMIN") {
            let masked = argument(0, SeccompDefault.namespaceFlags, "MASKED_EQ", second: 0)
            rules.append(rule(["clone"], "SCMP_ACT_ALLOW", [masked]))
            rules.append(rule(["clone3"], "SCMP_ACT_ERRNO", [], errno: SeccompDefault.clone3Errno))
        }
        return [
            "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
            "architectures": .strings(architectures(architecture)), "syscalls": .array(rules),
        ]
    }

    /// Every family below, between and above the denied ones.
    private static func socketRules() -> [JSONValue] {
        let denied = SeccompDefault.deniedSocketFamilies
        guard let first = denied.first, let last = denied.last else { return [allow(["socket"])] }
        var rules = [rule(["socket"], "SCMP_ACT_ALLOW", [argument(0, first, "LT")])]
        for family in first...last where !denied.contains(family) {
            rules.append(rule(["socket"], "SCMP_ACT_ALLOW", [argument(0, family, "EQ")]))
        }
        return rules + [rule(["socket"], "SCMP_ACT_ALLOW", [argument(0, last, "GT")])]
    }

    static func architectures(_ architecture: String) -> [String] {
        switch architecture {
        case "amd64": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
        case "arm64": ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]
        default: []
        }
    }

    private static func allow(_ names: [String]) -> JSONValue { rule(names, "SCMP_ACT_ALLOW", []) }

    private static func rule(
        _ names: [String], _ action: String, _ arguments: [JSONValue], errno: Int64? = nil
    ) -> JSONValue {
        var rule: JSONValue = ["names": .strings(names), "action": .string(action)]
        if let errno { rule.set("errnoRet", .int(errno)) }
        if !arguments.isEmpty { rule.set("args", .array(arguments)) }
        return rule
    }

    private static func argument(_ index: Int64, _ value: UInt64, _ op: String, second: UInt64? = nil) -> JSONValue {
        var argument: JSONValue = ["index": .int(index), "value": .int(Int64(value))]
        if let second { argument.set("valueTwo", .int(Int64(second))) }
        argument.set("op", .string("SCMP_CMP_" + op))
        return argument
    }
}
