// SPDX-License-Identifier: Apache-2.0
import JSON

/// Devices, block I/O limits, GPUs and ulimits of `run` and `create`.
enum RunDevices {
    /// `/dev/x[:/dev/y][:rwm]`; names with `=` are CDI devices and go elsewhere.
    static func mappings(_ devices: [String]) throws -> JSONValue {
        .array(
            try devices.filter { !isCDI($0) }.map { device in
                let parts = device.parts(":")
                var inside = parts[0]
                var permissions = "rwm"
                switch parts.count {
                case 1: break
                case 2 where isPermissions(parts[1]): permissions = parts[1]
                case 2: inside = parts[1]
                case 3:
                    inside = parts[1]
                    permissions = parts[2]
                default: throw RunRefusal("bad format for path: " + device)
                }
                for path in [parts[0], inside] where !path.hasPrefix("/") {
                    throw RunRefusal(path + " is not an absolute path")
                }
                guard isPermissions(permissions) else { throw RunRefusal("bad mode specified: " + permissions) }
                return [
                    "PathOnHost": .string(parts[0]), "PathInContainer": .string(inside),
                    "CgroupPermissions": .string(permissions),
                ]
            })
    }

    private static func isCDI(_ device: String) -> Bool { device.contains("=") && !device.hasPrefix("/") }

    private static func isPermissions(_ text: String) -> Bool {
        !text.isEmpty && text.allSatisfy { "rwm".contains($0) }
    }

    static func requests(gpus: [String], devices: [String]) throws -> JSONValue {
        var requests: [JSONValue] = []
        for gpu in gpus { requests.append(try gpuRequest(gpu)) }
        let names = devices.filter(isCDI)
        if !names.isEmpty {
            requests.append([
                "Driver": "cdi", "Count": 0, "DeviceIDs": .strings(names), "Capabilities": .null, "Options": .null,
            ])
        }
        return requests.isEmpty ? .null : .array(requests)
    }

    /// `all`, a count, or `device=0,capabilities=compute`.
    private static func gpuRequest(_ text: String) throws -> JSONValue {
        var driver = ""
        var count: Int64 = 0
        var ids: JSONValue = .null
        var capabilities = ["gpu"]
        var options: [(key: String, value: String)] = []
        for field in csvFields(text) {
            let (key, value) = field.cut("=") ?? ("count", field)
            switch key {
            case "count":
                guard let number = value == "all" ? -1 : Int64(value) else {
                    throw RunRefusal(
                        "invalid count (" + value + "): value must be either \"all\" or an integer: invalid syntax")
                }
                count = number
            case "device": ids = .strings(value.parts(","))
            case "driver": driver = value
            case "capabilities": capabilities = value.parts(",") + ["gpu"]
            case "options": options = value.parts(",").compactMap { $0.cut("=") }.map { ($0.0, $0.1) }
            default: throw RunRefusal("unexpected key '" + key + "' in '" + field + "'")
            }
        }
        if count == 0, ids.isNull { count = 1 }
        return [
            "Driver": .string(driver), "Count": .int(count), "DeviceIDs": ids,
            "Capabilities": [.strings(capabilities)], "Options": .map(options),
        ]
    }

    /// `/dev/sda:100`
    static func weights(_ entries: [String]) throws -> JSONValue {
        .array(
            try entries.map { entry in
                guard let (path, number) = entry.cut(":") else { throw RunRefusal("bad format: " + entry) }
                guard path.hasPrefix("/dev/") else { throw RunRefusal("bad format for device path: " + entry) }
                guard let weight = Int64(number), weight == 0 || (10...1000).contains(weight) else {
                    throw RunRefusal("invalid weight for device: " + entry)
                }
                return ["Path": .string(path), "Weight": .int(weight)]
            })
    }

    /// `/dev/sda:1mb`
    static func rates(_ entries: [String], inBytes: Bool) throws -> JSONValue {
        .array(
            try entries.map { entry in
                guard let (path, number) = entry.cut(":") else { throw RunRefusal("bad format: " + entry) }
                guard path.hasPrefix("/dev/") else { throw RunRefusal("bad format for device path: " + entry) }
                guard let rate = inBytes ? try? SizeText.parse(number) : Int64(number), rate >= 0 else {
                    throw RunRefusal(
                        "invalid rate for device: " + entry + ". The correct format is <device-path>:<number>"
                            + (inBytes ? "[<unit>]" : "") + ". Number must be a positive integer"
                            + (inBytes ? ". Unit is optional and can be kb, mb, or gb" : ""))
                }
                return ["Path": .string(path), "Rate": .int(rate)]
            })
    }

    /// The limits of setrlimit(2), as shells and docker call them.
    private static let limitNames: Set = [
        "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
        "rttime", "sigpending", "stack",
    ]

    /// `nofile=1024[:2048]`; sorted by name, the last of duplicates counts.
    static func ulimits(_ entries: [String]) throws -> JSONValue {
        var limits: [(key: String, value: JSONValue)] = []
        for entry in entries {
            guard let (name, values) = entry.cut("=") else { throw RunRefusal("invalid ulimit argument: " + entry) }
            guard limitNames.contains(name) else { throw RunRefusal("invalid ulimit type: " + name) }
            if values.parts(":").count > 2 {
                throw RunRefusal(
                    "too many limit value arguments - " + values + ", can only have up to two, `soft[:hard]`")
            }
            let (softText, hardText) = values.cut(":") ?? (values, values)
            let (soft, hard) = (try number(softText), try number(hardText))
            if hard != -1, soft > hard || soft == -1 {
                throw RunRefusal("ulimit soft limit must be less than or equal to hard limit: \(soft) > \(hard)")
            }
            limits.removeAll { $0.key == name }
            limits.append((name, ["Name": .string(name), "Hard": .int(hard), "Soft": .int(soft)]))
        }
        limits.sort { $0.key < $1.key }
        return .array(limits.map(\.value))
    }

    private static func number(_ text: String) throws -> Int64 {
        guard let number = Int64(text) else {
            throw RunRefusal("strconv.ParseInt: parsing " + text.quoted + ": invalid syntax")
        }
        return number
    }
}
