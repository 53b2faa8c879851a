// SPDX-License-Identifier: Apache-2.0

/// What `--security-opt` says.
package struct SecurityOptions: Sendable, Equatable {
    package enum Seccomp: Sendable, Equatable {
        case standard
        case unconfined
        /// A profile in docker's file format.
        case custom(String)
    }

    package var noNewPrivileges = false
    package var seccomp = Seccomp.standard
    package var writableCgroups = false
    /// Options for a security module of the kernel (AppArmor, SELinux), which only matter where it is active.
    package var needed: [String] = []

    package init() {}

    package init(parsing options: [String]) throws(SpecError) {
        for option in options { try add(option) }
    }

    /// With the daemon's own settings where the options say nothing.
    init(parsing options: [String], defaults: EngineConfiguration) throws(SpecError) {
        noNewPrivileges = defaults.noNewPrivileges
        switch defaults.seccompProfile {
        case "": break
        case "unconfined": seccomp = .unconfined
        case let profile: seccomp = .custom(profile)
        }
        for option in options { try add(option) }
    }

    private mutating func add(_ option: String) throws(SpecError) {
        let (key, value) = split(option)
        switch key {
        case "no-new-privileges": noNewPrivileges = try flag(value ?? "true", option)
        case "writable-cgroups": writableCgroups = try flag(value ?? "true", option)
        case "seccomp": seccomp = try seccomp(value, option)
        case "apparmor":
            guard let value, !value.isEmpty else { throw SpecError("invalid --security-opt 2: \"\(option)\"") }
            if value != "unconfined" { needed.append("apparmor=\(value)") }
        case "label":
            guard let value, !value.isEmpty else { throw SpecError("invalid --security-opt 2: \"\(option)\"") }
            if value != "disable" { needed.append("label=\(value)") }
        case "disable" where value == nil: break
        default: throw SpecError("invalid --security-opt \(value == nil ? 1 : 2): \"\(option)\"")
        }
    }

    private func seccomp(_ value: String?, _ option: String) throws(SpecError) -> Seccomp {
        switch value {
        case nil, "": throw SpecError("invalid --security-opt 1: \"\(option)\"")
        case "unconfined": .unconfined
        case "builtin", "default": .standard
        case .some(let profile): .custom(profile)
        }
    }

    private func flag(_ value: String, _ option: String) throws(SpecError) -> Bool {
        switch value.lowercased() {
        case "true", "1", "t": true
        case "false", "0", "f": false
        default: throw SpecError("invalid --security-opt 2: \"\(option)\"")
        }
    }

    /// `key=value`, or the older `key:value`.
    private func split(_ option: String) -> (String, String?) {
        guard let mark = option.firstIndex(where: { $0 == "=" || $0 == ":" }) else { return (option, nil) }
        return (String(option[..<mark]), String(option[option.index(after: mark)...]))
    }
}
