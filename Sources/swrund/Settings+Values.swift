// SPDX-License-Identifier: Apache-2.0
import Engine
import Flags
import JSON
import LinuxSystem

// Settings that are checked one by one, with dockerd's words.
extension Settings {
    func labels() throws(DaemonError) -> [String] {
        var values: [String: String] = [:]
        for label in try list("label") {
            guard let (key, value) = Self.pair(label), !key.isEmpty else {
                throw DaemonError("bad attribute format: \(label)")
            }
            if let other = values[key], other != value {
                throw DaemonError("conflict labels for \(key)=\(value) and \(key)=\(other)")
            }
            values[key] = value
        }
        return try list("label")
    }

    func mirrors() throws(DaemonError) -> [String] {
        for mirror in try list("registry-mirror") {
            let scheme = mirror.contains("://") ? String(mirror.prefix { $0 != ":" }) : ""
            guard ["http", "https"].contains(scheme) else {
                throw DaemonError("invalid mirror: unsupported scheme \"\(scheme)\" in \"\(mirror)\"")
            }
        }
        return try list("registry-mirror")
    }

    func setDefaultModes(_ values: inout LiveConfiguration.Values) throws(DaemonError) {
        values.defaultIPCMode = try string("default-ipc-mode")
        guard ["private", "shareable"].contains(values.defaultIPCMode) else {
            throw DaemonError(
                "IPC mode \"\(values.defaultIPCMode)\" is not supported as default value; use \"shareable\" or "
                    + "\"private\"")
        }
        let mode = try string("default-cgroupns-mode")
        guard ["", "private", "host"].contains(mode) else {
            throw DaemonError("default cgroup namespace mode (\(mode)) is invalid; use \"host\" or \"private\"")
        }
        values.defaultCgroupNamespaceMode = mode
    }

    func setTransferLimits(_ values: inout LiveConfiguration.Values) throws(DaemonError) {
        values.downloads = TransferLimits(
            parallel: try count("max-concurrent-downloads", "max concurrent downloads") ?? 3,
            attempts: try count("max-download-attempts", "max download attempts") ?? 5)
        values.uploads = TransferLimits(
            parallel: try count("max-concurrent-uploads", "max concurrent uploads") ?? 5)
    }

    private func count(_ flag: String, _ title: String) throws(DaemonError) -> Int? {
        guard let number = try int(flag) else { return nil }
        guard number >= 0 else { throw DaemonError("invalid \(title): \(number)") }
        return number
    }

    func hostGateway() throws(DaemonError) -> String {
        let text = try string("host-gateway-ip")
        guard text.isEmpty || EngineConfiguration.isAddress(text) else {
            throw DaemonError("failed to parse IP: \"\(text)\"")
        }
        return text
    }

    /// The flags, or `proxies` of the file: there `http-proxy`, `https-proxy` and `no-proxy`.
    func proxies() throws(DaemonError) -> [(variable: String, value: String)] {
        let members = file["proxies"]?.stringPairs
        if file["proxies"] != nil, members == nil { throw wrongType("proxies", "an object of strings") }
        let names = ["http-proxy", "https-proxy", "no-proxy"]
        if let unknown = members?.first(where: { !names.contains($0.key) }) {
            throw DaemonError("the following directives don't match any configuration option: \(unknown.key)")
        }
        var found: [(variable: String, value: String)] = []
        for name in names {
            let given = try string(name)
            let value = given.isEmpty ? members?.first { $0.key == name }?.value ?? "" : given
            guard !value.isEmpty else { continue }
            found.append((name.uppercased().split(separator: "-").joined(separator: "_"), value))
        }
        return found
    }

    /// On the command line `name=soft[:hard]`, in the file an object of objects.
    func ulimits() throws(DaemonError) -> [JSONValue] {
        var limits: [JSONValue] = []
        for text in flags.list("default-ulimit") {
            let parts = text.split(separator: "=", maxSplits: 1).map { String($0) }
            let numbers = parts.count == 2 ? parts[1].split(separator: ":").map { Int64($0) } : []
            guard (1...2).contains(numbers.count), let soft = numbers[0], let hard = numbers[numbers.count - 1],
                soft <= hard || hard == -1
            else { throw DaemonError("invalid ulimit argument: \(text)") }
            guard SpecBuilder.limitNames.contains(parts[0]) else {
                throw DaemonError("invalid ulimit type: \(parts[0])")
            }
            limits.append(["Name": .string(parts[0]), "Soft": .int(soft), "Hard": .int(hard)])
        }
        for (name, value) in (file["default-ulimits"]?.members ?? []).map({ ($0.key, $0.value) }) {
            guard let soft = value["Soft"]?.int, let hard = value["Hard"]?.int else {
                throw wrongType("default-ulimit", "an object of objects with Name, Soft and Hard")
            }
            limits.append(["Name": .string(name), "Soft": .int(soft), "Hard": .int(hard)])
        }
        return limits
    }

    /// `64m`: binary units.
    func shmSize() throws(DaemonError) -> Int64 {
        let text = try string("default-shm-size").lowercased()
        let digits = text.prefix { $0.isNumber }
        let units: [String: Int64] = ["": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30]
        var unit = String(text.dropFirst(digits.count))
        if unit.count > 1, unit.hasSuffix("b") { unit = String(unit.prefix(1)) }
        guard let number = Int64(digits), number < 1 << 40, let scale = units[unit] else {
            throw DaemonError("invalid size: '\(text)'")
        }
        return number * scale
    }
}
