// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import LinuxSystem
import Netlink

/// Refuses requests that make no sense, and those that ask for what is not there: a setting that would change what
/// the container may do is never left out without a word.
struct ContainerValidation {
    let config: ContainerConfig
    let host: HostConfig
    let facts: HostFacts
    let runtimes: [String]
    /// Whether containers have other users than the host unless they say otherwise.
    var isRemapped = false
    var usesSystemdCgroups = false

    func check() throws(EngineError) {
        try checkUnsupported()
        try checkConfig()
        try checkModes()
        try checkRestartPolicy()
        try checkMemory()
        try checkCPU()
        try checkLog()
        try checkSysctls()
    }

    /// What `update` can change.
    func checkLimits() throws(EngineError) {
        try checkRestartPolicy()
        try checkMemory()
        try checkCPU()
        if host.number("CpuShares") < 0 { throw invalid("shares: invalid argument") }
    }

    private func invalid(_ message: String) -> EngineError { .invalidArgument(message) }

    private func checkUnsupported() throws(EngineError) {
        for (option, value) in host.map("StorageOpt") {
            guard option.lowercased() == "size" else { throw EngineError(.internal, "Unknown option \(option)") }
            if ByteSize.binary(value) == nil { throw EngineError(.internal, "invalid size: '\(value)'") }
        }
        if usesSystemdCgroups, !CgroupPlace.isSlice(host.text("CgroupParent")) {
            throw invalid(CgroupPlace.refusal)
        }
        if isRemapped, host.text("UsernsMode") != "host" { try checkRemapped() }
        if !["", "default"].contains(host.text("Isolation")) {
            throw invalid("Invalid isolation: \"\(host.text("Isolation"))\" - linux only supports 'default'")
        }
        if !host.text("Cgroup").isEmpty { throw invalid("cgroup mode \(host.text("Cgroup")) is not supported") }
    }

    /// What the host's root alone may have.
    private func checkRemapped() throws(EngineError) {
        if host.privileged {
            throw invalid(
                "privileged mode is incompatible with user namespaces.  You must run the container in the host "
                    + "namespace when running privileged mode")
        }
        if host.networkMode == "host" {
            throw invalid("cannot share the host's network namespace when user namespaces are enabled")
        }
        if host.text("PidMode") == "host" {
            throw invalid("cannot share the host PID namespace when user namespaces are enabled")
        }
    }

    private func checkConfig() throws(EngineError) {
        let directory = config.workingDirectory
        if !directory.isEmpty, !directory.hasPrefix("/") {
            throw invalid("the working directory '\(directory)' is invalid, it needs to be an absolute path")
        }
        for variable in config.env where variable.isEmpty || variable.hasPrefix("=") {
            throw invalid("invalid environment variable: \(variable)")
        }
        if !config.stopSignal.isEmpty { try SignalName.check(config.stopSignal) }
        for name in ["CapAdd", "CapDrop"] { try checkCapabilities(name) }
        try spec { () throws(SpecError) in
            // As docker's, an option for a module that is not active changes nothing; for one that is, it would.
            let needed = try SecurityOptions(parsing: host.list("SecurityOpt")).needed
            for option in needed where facts.securityModules.contains(String(option.prefix { $0 != "=" })) {
                throw SpecError("--security-opt \(option) is not supported by swrun yet", .unsupported)
            }
        }
        guard runtimes.contains(host.text("Runtime")) || RuntimeEntry.isShimName(host.text("Runtime")) else {
            throw invalid("unknown or invalid runtime name: \(host.text("Runtime"))")
        }
        if host.number("OomScoreAdj") < -1000 || host.number("OomScoreAdj") > 1000 {
            throw invalid("Invalid value \(host.number("OomScoreAdj")), range for oom score adj is [-1000, 1000]")
        }
        try checkAddresses()
        if host.number("ShmSize") < 0 { throw invalid("SHM size can not be less than 0") }
        if host.map("Annotations").contains(where: { $0.key.isEmpty }) {
            throw invalid("invalid Annotations: the empty string is not permitted as an annotation key")
        }
    }

    private func checkCapabilities(_ field: String) throws(EngineError) {
        for given in host.list(field) {
            let capability: String
            do throws(SpecError) { capability = try Capability.normalize(given) } catch {
                throw invalid("invalid \(field): " + error.message)
            }
            guard capability == "ALL" || facts.capabilities.contains(capability) else {
                throw invalid(
                    "invalid \(field): capability not supported by your kernel or not available in the current "
                        + "environment: \"\(capability)\"")
            }
        }
    }

    /// Host entries and the ports to publish.
    private func checkAddresses() throws(EngineError) {
        for entry in host.list("ExtraHosts") {
            let parts = entry.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
            guard parts.count == 2, !parts[0].isEmpty else { throw invalid("bad format for add-host: \"\(entry)\"") }
            guard parts[1] == "host-gateway" || IPv4Address(parts[1]) != nil || IPv6Address(parts[1]) != nil else {
                throw invalid("invalid IP address in add-host: \"\(parts[1])\"")
            }
        }
        for (key, bindings) in host["PortBindings"].pairs {
            let port = key.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
            guard UInt16(port) != nil else { throw invalid("invalid port specification: \"\(port)\"") }
            for text in (bindings.array ?? []).compactMap({ $0["HostPort"]?.string }) where !text.isEmpty {
                let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
                guard ends.allSatisfy({ UInt16($0) != nil }) else {
                    throw invalid("invalid port specification: \"\(text)\"")
                }
            }
        }
    }

    private func spec(_ body: () throws(SpecError) -> Void) throws(EngineError) {
        do throws(SpecError) { try body() } catch { throw EngineError(error) }
    }

    private func checkModes() throws(EngineError) {
        let network = host.networkMode
        for link in host.list("Links") { try ContainerLink.check(link) }
        let sharing = network.hasPrefix("container:") ? "container type network" : "host type networking"
        if network == "host" || network.hasPrefix("container:"), !host.list("Links").isEmpty {
            throw invalid(
                "conflicting options: \(sharing) can't be used with links. This would result in undefined behavior")
        }
        let hasPorts = host["PortBindings"].members?.isEmpty == false || host.flag("PublishAllPorts")
        if network == "container" || network.hasPrefix("container:") {
            if network == "container" || network == "container:" {
                throw invalid("Invalid network mode: invalid container format container:<name|id>")
            }
            if hasPorts {
                throw invalid("conflicting options: port publishing and the container type network mode")
            }
            if !config.hostname.isEmpty { throw invalid("conflicting options: hostname and the network mode") }
            for (field, what) in [("Dns", "dns"), ("ExtraHosts", "custom host-to-IP mapping")]
            where !host.list(field).isEmpty {
                throw invalid("conflicting options: \(what) and the network mode")
            }
            if !config.exposedPorts.isEmpty {
                throw invalid("conflicting options: port exposing and the container type network mode")
            }
        }
        if host.text("UTSMode") == "host", !config.hostname.isEmpty {
            throw invalid("conflicting options: hostname and the UTS mode")
        }
        try checkMode("UTSMode", "UTS", ["", "host"])
        try checkMode("PidMode", "PID", ["", "host"], joins: true)
        try checkMode("IpcMode", "IPC", ["", "none", "private", "shareable", "host"], joins: true)
        try checkMode("CgroupnsMode", "cgroup namespace", ["", "private", "host"])
    }

    private func checkMode(
        _ field: String, _ title: String, _ allowed: [String], joins: Bool = false
    ) throws(EngineError) {
        let mode = host.text(field)
        if allowed.contains(mode) || joins && mode.hasPrefix("container:") && mode.utf8.count > 10 { return }
        throw invalid("invalid \(title) mode: \(mode)")
    }

    private func checkRestartPolicy() throws(EngineError) {
        let policy = host.restartPolicy
        guard ["", "no", "always", "on-failure", "unless-stopped"].contains(policy.name) else {
            throw invalid(
                "invalid restart policy: unknown policy '\(policy.name)'; use one of 'no', 'always', 'on-failure', "
                    + "or 'unless-stopped'")
        }
        var complaints: [String] = []
        if policy.maximumRetryCount != 0, policy.name != "on-failure" {
            complaints.append("can only be used with 'on-failure'")
        }
        if policy.maximumRetryCount < 0 { complaints.append("cannot be negative") }
        guard complaints.isEmpty else {
            throw invalid("invalid restart policy: maximum retry count " + complaints.joined(separator: " and "))
        }
        if host.autoRemove, !["", "no"].contains(policy.name) {
            throw invalid("can't create 'AutoRemove' container with restart policy")
        }
    }

    private func checkSysctls() throws(EngineError) {
        let kernel = [
            "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
            "kernel.shmmni", "kernel.shm_rmid_forced",
        ]
        for (name, _) in host.map("Sysctls") {
            if name.hasPrefix("net.") {
                if host.networkMode == "host" {
                    throw EngineError(
                        .internal,
                        "failed to create task for container: failed to create shim task: OCI runtime create failed: "
                            + "runc create failed: sysctl \"\(name)\" not allowed in host network namespace: unknown")
                }
            } else if !kernel.contains(name), !name.hasPrefix("fs.mqueue.") {
                throw invalid("sysctl '\(name)' is not allowed")
            }
        }
    }
}

extension EngineError {
    init(_ error: SpecError) {
        let kind: ErrorKind =
            switch error.kind {
            case .invalid: .invalidArgument
            case .unsupported: .unimplemented
            case .conflict: .conflict
            case .other: .internal
            }
        self.init(kind, error.message)
    }
}
