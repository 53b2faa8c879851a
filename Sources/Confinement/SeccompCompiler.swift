// SPDX-License-Identifier: Apache-2.0
import CLinux
import CSeccomp
package import LinuxSystem
package import OCISpec

/// Turns a profile of the spec into a filter, through libseccomp. This takes some 15 ms for Docker's default profile:
/// see `SeccompCache`.
package struct SeccompCompiler: ~Copyable {
    private let context: scmp_filter_ctx
    private let defaultAction: UInt32

    package static func compile(_ profile: RuntimeSeccomp) throws(SysError) -> SeccompFilter {
        let program = FilterCondenser.condense(try translate(profile))
        return SeccompFilter(program: program, flags: try filterFlags(profile))
    }

    /// The profile as libseccomp writes it, behind what new calls are answered.
    static func translate(_ profile: RuntimeSeccomp) throws(SysError) -> [UInt8] {
        try checkNotification(profile)
        let compiler = try SeccompCompiler(profile)
        for name in profile.architectures { try compiler.add(architecture: name) }
        for rule in profile.rules { try compiler.add(rule) }
        let program = try compiler.export()
        return SeccompCompiler.stubsForNewCalls(profile) + program
    }

    /// The agent gets the listener by a message, which must not itself wait for the agent.
    private static func checkNotification(_ profile: RuntimeSeccomp) throws(SysError) {
        if profile.defaultAction == notify {
            throw SysError("seccomp", "SCMP_ACT_NOTIFY cannot be used as default action", .invalidArgument)
        }
        for rule in profile.rules where rule.action == notify {
            if rule.names.contains("write") {
                throw SysError(
                    "seccomp", "SCMP_ACT_NOTIFY cannot be used for the write syscall", .invalidArgument)
            }
            if profile.listenerPath.isEmpty {
                throw SysError("seccomp", "listenerPath is not set", .invalidArgument)
            }
        }
    }

    private init(_ profile: RuntimeSeccomp) throws(SysError) {
        let action = try actionNumber(profile.defaultAction, profile.defaultErrno)
        guard let made = seccomp_init(action) else { throw SysError("seccomp_init", "", .invalidArgument) }
        defaultAction = action
        context = made
    }

    private borrowing func add(architecture name: String) throws(SysError) {
        guard let token = architectureToken(name) else {
            throw SysError("seccomp", "unknown architecture " + name, .invalidArgument)
        }
        let result = seccomp_arch_add(context, token)
        // Those of machines with another byte order cannot be added and need not be.
        if result != 0, result != -EEXIST, result != -EDOM { throw SysError("seccomp_arch_add", name, failure(result)) }
    }

    deinit { seccomp_release(context) }

    private borrowing func add(_ rule: RuntimeSeccomp.Rule) throws(SysError) {
        let action = try actionNumber(rule.action, rule.errno)
        if action == defaultAction { return }  // says nothing new, and libseccomp refuses it
        var conditions: [scmp_arg_cmp] = []
        for argument in rule.arguments { conditions.append(try condition(argument)) }
        let indexes = rule.arguments.map { $0.index }
        let isAmbiguous = indexes.indices.contains { indexes[..<$0].contains(indexes[$0]) }
        for name in rule.names {
            let number = seccomp_syscall_resolve_name(name)
            if number == -1 { continue }  // a call of a newer kernel than the library knows
            if isAmbiguous {
                // Several conditions on one argument are alternatives.
                for one in conditions { try add(name, number, action, [one]) }
            } else {
                try add(name, number, action, conditions)
            }
        }
    }

    private borrowing func add(
        _ name: String, _ number: CInt, _ action: UInt32, _ conditions: [scmp_arg_cmp]
    ) throws(SysError) {
        let result = conditions.withUnsafeBufferPointer {
            seccomp_rule_add_array(context, action, number, UInt32($0.count), $0.isEmpty ? nil : $0.baseAddress)
        }
        if result != 0, result != -EEXIST { throw SysError("seccomp_rule_add", name, failure(result)) }
    }

    private borrowing func export() throws(SysError) -> [UInt8] {
        let file = OwnedFD(owning: try sys("memfd_create") { swrun_memfd_create("seccomp", UInt32(MFD_CLOEXEC)) })
        let number = file.raw
        let result = seccomp_export_bpf(context, number)
        if result != 0 { throw SysError("seccomp_export_bpf", "", failure(result)) }
        try sys("lseek") { Int(lseek(number, 0, SEEK_SET)) }
        return try readAll(file, limit: 1 << 20)
    }

    /// The library's version, a part of what a cached filter depends on.
    package static var libraryVersion: String {
        guard let version = seccomp_version() else { return "unknown" }
        return "\(version.pointee.major).\(version.pointee.minor).\(version.pointee.micro)"
    }

    /// Calls with higher numbers than any that the profile names are newer than the profile: a program must see
    /// ENOSYS for them, so that it falls back, and not the profile's error.
    private static func stubsForNewCalls(_ profile: RuntimeSeccomp) -> [UInt8] {
        guard
            ["SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"]
                .contains(profile.defaultAction)
        else { return [] }
        var limits: [NewCallStub.Limit] = []
        for (token, audit) in [
            (0xC000_003E, 0xC000_003E), (0x4000_0003, 0x4000_0003), (0xC000_00B7, 0xC000_00B7),
            (0x4000_0028, 0x4000_0028),
        ] as [(UInt32, UInt32)] {
            var highest: CInt = -1
            for rule in profile.rules {
                for name in rule.names { highest = max(highest, seccomp_syscall_resolve_name_arch(token, name)) }
            }
            if highest > 0 { limits.append(.init(architecture: audit, highestCall: UInt32(highest))) }
        }
        return NewCallStub(limits).program
    }
}

private func failure(_ result: CInt) -> Errno { Errno(rawValue: -result) }

private func architectureToken(_ name: String) -> UInt32? {
    var short = name
    if short.hasPrefix("SCMP_ARCH_") { short = String(short.dropFirst(10)) }
    let token = seccomp_arch_resolve_name(short.lowercased())
    return token == 0 ? nil : token
}

private func condition(_ argument: RuntimeSeccomp.Argument) throws(SysError) -> scmp_arg_cmp {
    let comparisons: [(String, scmp_compare)] = [
        ("SCMP_CMP_NE", SCMP_CMP_NE), ("SCMP_CMP_LT", SCMP_CMP_LT), ("SCMP_CMP_LE", SCMP_CMP_LE),
        ("SCMP_CMP_EQ", SCMP_CMP_EQ), ("SCMP_CMP_GE", SCMP_CMP_GE), ("SCMP_CMP_GT", SCMP_CMP_GT),
        ("SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ),
    ]
    guard let found = comparisons.first(where: { $0.0 == argument.comparison }) else {
        throw SysError("seccomp", "unknown operator " + argument.comparison, .invalidArgument)
    }
    return scmp_arg_cmp(arg: argument.index, op: found.1, datum_a: argument.value, datum_b: argument.valueTwo)
}

private func actionNumber(_ name: String, _ errno: UInt32?) throws(SysError) -> UInt32 {
    switch name {
    case "SCMP_ACT_ALLOW": return 0x7FFF_0000
    case "SCMP_ACT_LOG": return 0x7FFC_0000
    case "SCMP_ACT_ERRNO": return 0x0005_0000 | (errno ?? UInt32(EPERM)) & 0xFFFF
    case "SCMP_ACT_TRACE": return 0x7FF0_0000 | (errno ?? UInt32(EPERM)) & 0xFFFF
    case "SCMP_ACT_TRAP": return 0x0003_0000
    case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD": return 0
    case "SCMP_ACT_KILL_PROCESS": return 0x8000_0000
    case notify: return 0x7FC0_0000
    default: throw SysError("seccomp", "unknown action " + name, .invalidArgument)
    }
}

private let notify = "SCMP_ACT_NOTIFY"

private func filterFlags(_ profile: RuntimeSeccomp) throws(SysError) -> UInt32 {
    let listens = profile.rules.contains { $0.action == notify }
    var flags: UInt32 = listens ? SeccompFilter.newListener : 0
    // SPEC_ALLOW: no speculation barrier just for the filter
    for name in profile.flags ?? ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"] {
        switch name {
        case "SECCOMP_FILTER_FLAG_TSYNC": break  // there is one thread
        case "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV": flags |= listens ? 32 : 0
        case "SECCOMP_FILTER_FLAG_LOG": flags |= 2
        case "SECCOMP_FILTER_FLAG_SPEC_ALLOW": flags |= 4
        default: throw SysError("seccomp", "unknown flag " + name, .invalidArgument)
        }
    }
    return flags
}
