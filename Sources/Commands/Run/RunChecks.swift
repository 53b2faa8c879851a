// SPDX-License-Identifier: Apache-2.0
import Flags

/// Checks of single flags of `run` and `create` while they are parsed, in docker's words.
enum RunChecks {
    @Sendable static func label(_ value: String) -> String? {
        value.isEmpty || value.hasPrefix("=") ? "invalid label '" + value + "': empty name" : nil
    }

    @Sendable static func address(_ value: String) -> String? {
        IPPrefix.isAddress(value.trimmed) ? nil : "IP address is not correctly formatted: " + value.trimmed
    }

    @Sendable static func sysctl(_ value: String) -> String? {
        let key = value.cut("=")?.0 ?? value
        let known = [
            "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
            "kernel.shmmni", "kernel.shm_rmid_forced",
        ]
        let isAllowed = known.contains(key) || key.hasPrefix("net.") || key.hasPrefix("fs.mqueue.")
        return value.contains("=") && isAllowed ? nil : "sysctl '" + value + "' is not allowed"
    }

    @Sendable static func stream(_ name: String) -> String? {
        ["stdin", "stdout", "stderr"].contains(name.lowercased()) ? nil : "valid streams are STDIN, STDOUT and STDERR"
    }

    /// `c 42:* rmw`
    @Sendable static func deviceRule(_ value: String) -> String? {
        let words = value.split(separator: " ", omittingEmptySubsequences: false)
        func isNumber(_ text: Substring) -> Bool { text == "*" || (!text.isEmpty && text.utf8.allSatisfy(isDigit)) }
        let numbers = words.count == 3 ? words[1].split(separator: ":", omittingEmptySubsequences: false) : []
        let isRule =
            words.count == 3 && ["a", "b", "c"].contains(words[0]) && numbers.count == 2 && numbers.allSatisfy(isNumber)
            && (1...3).contains(words[2].count) && words[2].allSatisfy { "rwm".contains($0) }
        return isRule ? nil : "invalid device cgroup format '" + value + "'"
    }

    /// A domain of letters, digits, `-` and `_`, or `.` for none.
    @Sendable static func searchDomain(_ value: String) -> String? {
        let domain = value.trimmed
        if domain == "." { return nil }
        let labels = domain.utf8.last == 46 ? domain.dropLast() : domain[...]
        let isDomain =
            domain.utf8.count < 255
            && labels.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                !label.isEmpty && label.utf8.count < 64 && label.utf8.first != 45
                    && label.utf8.allSatisfy { isDigit($0) || isLetter($0) || $0 == 45 || $0 == 95 }
            } && labels.utf8.contains(where: isLetter)
        return isDomain ? nil : domain + " is not a valid domain"
    }

    /// `name` or `name:alias`
    @Sendable static func link(_ value: String) -> String? {
        if value.isEmpty { return "empty string specified for links" }
        return value.parts(":").count > 2 ? "bad format for links: " + value : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte | 32) }

    @Sendable static func extraHost(_ value: String) -> String? { reason { _ = try RunSettings.extraHost(value) } }
    @Sendable static func ulimit(_ value: String) -> String? { reason { _ = try RunDevices.ulimits([value]) } }
    @Sendable static func network(_ value: String) -> String? { reason { _ = try RunNetwork.parse(value) } }
    @Sendable static func mount(_ value: String) -> String? { reason { _ = try RunMount.parse(value) } }
    @Sendable static func weight(_ value: String) -> String? { reason { _ = try RunDevices.weights([value]) } }

    @Sendable static func byteRate(_ value: String) -> String? {
        reason { _ = try RunDevices.rates([value], inBytes: true) }
    }

    @Sendable static func operationRate(_ value: String) -> String? {
        reason { _ = try RunDevices.rates([value], inBytes: false) }
    }

    @Sendable static func gpus(_ value: String) -> String? {
        value.isEmpty ? "EOF" : reason { _ = try RunDevices.requests(gpus: [value], devices: []) }
    }

    private static func reason(_ attempt: () throws -> Void) -> String? {
        do { try attempt() } catch let refusal as RunRefusal { return refusal.reason } catch { return "\(error)" }
        return nil
    }
}

extension RunSettings {
    /// What is wrong with the combination of flags, before anything is sent.
    func validate() throws {
        try refuseWindowsFlags()
        if flags.bool("rm"), !["", "no"].contains(flags.string("restart")) {
            throw RunRefusal("conflicting options: cannot specify both --restart and --rm")
        }
        if flags.isSet("memory-swappiness"), !(-1...100).contains(flags.int("memory-swappiness")) {
            throw RunRefusal("invalid value: \(flags.int("memory-swappiness")). Valid memory swappiness range is 0-100")
        }
        if flags.int("health-retries") < 0 { throw RunRefusal("--health-retries cannot be negative") }
        if flags.string("log-driver") == "none", !flags.list("log-opt").isEmpty {
            throw RunRefusal("invalid logging opts for driver none")
        }
        try refuseNamespaces()
        if flags.list("storage-opt").contains(where: { !$0.contains("=") }) {
            throw RunRefusal("invalid storage option")
        }
        let address = flags.string("mac-address")
        if !address.isEmpty, !RunSettings.isMACAddress(address) {
            throw RunRefusal(address + " is not a valid mac address")
        }
        guard ["always", "missing", "never", ""].contains(flags.string("pull")) else {
            throw RunRefusal(
                "invalid pull option: '" + flags.string("pull")
                    + "': must be one of \"always\", \"missing\" or \"never\"")
        }
    }

    private func refuseWindowsFlags() throws {
        let foreign = ["cpu-count", "cpu-percent", "io-maxbandwidth", "io-maxiops"].filter { flags.isSet($0) }
        if foreign.isEmpty { return }
        let lines = foreign.map {
            "\"--" + $0
                + "\" is only supported on a Docker daemon running on windows, but the Docker daemon is running on linux"
        }
        throw CommandFailure(lines.joined(separator: "\n"))
    }

    private func refuseNamespaces() throws {
        func isContainer(_ mode: String) -> Bool { mode.hasPrefix("container:") && mode.utf8.count > 10 }
        let pid = flags.string("pid")
        guard ["", "host"].contains(pid) || isContainer(pid) else { throw RunRefusal("--pid: invalid PID mode") }
        guard ["", "host"].contains(flags.string("uts")) else { throw RunRefusal("--uts: invalid UTS mode") }
        guard ["", "host"].contains(flags.string("userns")) else { throw RunRefusal("--userns: invalid USER mode") }
        guard ["", "host", "private"].contains(flags.string("cgroupns")) else {
            throw RunRefusal("--cgroupns: invalid CGROUP mode")
        }
    }

    static func isMACAddress(_ text: String) -> Bool {
        let groups = text.parts(text.contains("-") ? "-" : ":")
        return groups.count == 6 && groups.allSatisfy { $0.utf8.count == 2 && UInt8($0, radix: 16) != nil }
    }
}
