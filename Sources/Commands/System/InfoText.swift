// SPDX-License-Identifier: Apache-2.0
import Flags
import JSON
import LinuxSystem

/// The long text of `info`.
struct InfoText {
    private let info: JSONValue

    init(_ info: JSONValue) {
        self.info = info
    }

    static func client(_ call: Invocation) -> String {
        "Client:\n Version:    " + Version.number + "\n Context:    " + call.session.contextName
            + "\n Debug Mode: " + (call.session.globals.bool("debug") ? "true" : "false") + "\n"
    }

    /// Everything below `Server:`.
    var server: String {
        var lines = counts
        lines += storage
        lines += ["Logging Driver: " + text("LoggingDriver"), "Cgroup Driver: " + text("CgroupDriver")]
        if !text("CgroupVersion").isEmpty { lines.append("Cgroup Version: " + text("CgroupVersion")) }
        lines += plugins
        let deviceSpecs = info["CDISpecDirs"]?.strings ?? []
        if !deviceSpecs.isEmpty { lines += ["CDI spec directories:"] + deviceSpecs.map { " " + $0 } }
        lines += ["Swarm: " + (info["Swarm"]?["LocalNodeState"]?.string ?? "inactive")]
        lines += runtimes
        lines += security
        lines += machine
        lines += rest
        return lines.map { " " + $0 + "\n" }.joined() + "\n"
    }

    private var counts: [String] {
        [
            "Containers: " + number("Containers"), " Running: " + number("ContainersRunning"),
            " Paused: " + number("ContainersPaused"), " Stopped: " + number("ContainersStopped"),
            "Images: " + number("Images"), "Server Version: " + text("ServerVersion"),
        ]
    }

    private var storage: [String] {
        var lines = ["Storage Driver: " + text("Driver")]
        for pair in info["DriverStatus"]?.array ?? [] {
            let words = pair.strings ?? []
            if words.count == 2 { lines.append(" " + words[0] + ": " + words[1]) }
        }
        return lines
    }

    private var plugins: [String] {
        var lines = ["Plugins:"]
        for (title, key) in [
            ("Volume", "Volume"), ("Network", "Network"), ("Authorization", "Authorization"), ("Log", "Log"),
        ] {
            let names = info["Plugins"]?[key]?.strings ?? []
            if !names.isEmpty { lines.append(" " + title + ": " + names.joined(separator: " ")) }
        }
        return lines
    }

    private var runtimes: [String] {
        var lines: [String] = []
        let names = (info["Runtimes"]?.members ?? []).map(\.key).sorted()
        if !names.isEmpty { lines.append("Runtimes: " + names.joined(separator: " ")) }
        lines.append("Default Runtime: " + text("DefaultRuntime"))
        lines.append("Init Binary: " + text("InitBinary"))
        for (title, key) in [("containerd", "ContainerdCommit"), ("runc", "RuncCommit"), ("init", "InitCommit")] {
            lines.append(title + " version: " + (info[key]?["ID"]?.string ?? ""))
        }
        return lines
    }

    /// `name=seccomp,profile=builtin`
    private var security: [String] {
        let options = info["SecurityOptions"]?.strings ?? []
        if options.isEmpty { return [] }
        var lines = ["Security Options:"]
        for option in options {
            for field in option.parts(",") {
                guard let (key, value) = field.cut("=") else { continue }
                lines.append(key == "name" ? " " + value : "  " + (key == "profile" ? "Profile" : key) + ": " + value)
            }
        }
        return lines
    }

    private var machine: [String] {
        [
            "Kernel Version: " + text("KernelVersion"), "Operating System: " + text("OperatingSystem"),
            "OSType: " + text("OSType"), "Architecture: " + text("Architecture"), "CPUs: " + number("NCPU"),
            "Total Memory: " + SizeText.binary(Double(info["MemTotal"]?.int ?? 0)), "Name: " + text("Name"),
            "ID: " + text("ID"), "Docker Root Dir: " + text("DockerRootDir"),
            "Debug Mode: " + flag("Debug"),
        ]
    }

    private var rest: [String] {
        var lines: [String] = []
        if info["Debug"]?.bool ?? false {
            lines += [
                " File Descriptors: " + number("NFd"), " Goroutines: " + number("NGoroutines"),
                " System Time: " + text("SystemTime"), " EventsListeners: " + number("NEventsListener"),
            ]
        }
        for (title, key) in [("HTTP Proxy", "HttpProxy"), ("HTTPS Proxy", "HttpsProxy"), ("No Proxy", "NoProxy")] {
            if !text(key).isEmpty { lines.append(title + ": " + text(key)) }
        }
        let labels = info["Labels"]?.strings ?? []
        if !labels.isEmpty { lines += ["Labels:"] + labels.map { " " + $0 } }
        if !text("IndexServerAddress").isEmpty { lines.append("Registry: " + text("IndexServerAddress")) }
        lines.append("Experimental: " + flag("ExperimentalBuild"))
        let registries = info["RegistryConfig"]
        var insecure = (registries?["IndexConfigs"]?.members ?? []).filter { $0.value["Secure"]?.bool == false }.map(
            \.key
        ).sorted()
        insecure += registries?["InsecureRegistryCIDRs"]?.strings ?? []
        if !insecure.isEmpty { lines += ["Insecure Registries:"] + insecure.map { " " + $0 } }
        let mirrors = registries?["Mirrors"]?.strings ?? []
        if !mirrors.isEmpty { lines += ["Registry Mirrors:"] + mirrors.map { " " + $0 } }
        lines.append("Live Restore Enabled: " + flag("LiveRestoreEnabled"))
        if !text("ProductLicense").isEmpty { lines.append("Product License: " + text("ProductLicense")) }
        let pools = info["DefaultAddressPools"]?.array ?? []
        if !pools.isEmpty {
            lines.append("Default Address Pools:")
            for pool in pools {
                lines.append("  Base: " + (pool["Base"]?.string ?? "") + ", Size: \(pool["Size"]?.int ?? 0)")
            }
        }
        return lines
    }

    private func text(_ key: String) -> String { info[key]?.string ?? "" }
    private func number(_ key: String) -> String { "\(info[key]?.int ?? 0)" }
    private func flag(_ key: String) -> String { info[key]?.bool ?? false ? "true" : "false" }
}
