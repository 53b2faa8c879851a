// SPDX-License-Identifier: Apache-2.0
import JSON

/// Members that the API leaves out of a container when they are empty, but that templates may ask for:
/// `{{if .State.Health}}` must not be an error. They show only when they are asked for, not in `{{json .State}}`.
enum InspectDefaults {
    /// Each kind of object with a member that tells it from others.
    private static let kinds: [(marker: String, members: [(name: String, value: JSONValue)])] = [
        ("Pid", [("Health", .null)]),
        ("HostConfig", [("SizeRw", .null), ("SizeRootFs", .null)]),
        (
            "Test",
            [
                ("Interval", "0s"), ("Timeout", "0s"), ("StartPeriod", "0s"), ("StartInterval", "0s"), ("Retries", 0),
            ]
        ),
        (
            "Cmd",
            [
                ("ExposedPorts", .object([])), ("Healthcheck", .null), ("StopSignal", ""), ("StopTimeout", .null),
                ("Shell", []), ("MacAddress", ""),
            ]
        ),
        (
            "NetworkMode",
            [
                ("Annotations", .object([])), ("StorageOpt", .object([])), ("Tmpfs", .object([])),
                ("Sysctls", .object([])), ("Runtime", ""), ("Mounts", []), ("Init", .null),
            ]
        ),
    ]

    /// Fields of docker's structs that have other names in JSON: templates may use either.
    private static let aliases = [
        "ID": "Id", "DNS": "Dns", "DNSOptions": "DnsOptions", "DNSSearch": "DnsSearch", "CPUShares": "CpuShares",
        "CPUPeriod": "CpuPeriod", "CPUQuota": "CpuQuota", "CPURealtimePeriod": "CpuRealtimePeriod",
        "CPURealtimeRuntime": "CpuRealtimeRuntime", "NanoCPUs": "NanoCpus", "CPUCount": "CpuCount",
        "CPUPercent": "CpuPercent",
    ]

    /// What `name` is in `object`, which does not have it; nil when it is no member of such objects.
    static func value(of name: String, in object: JSONValue) -> JSONValue? {
        if let alias = aliases[name], let value = object[alias] { return value }
        for kind in kinds where object[kind.marker] != nil {
            return kind.members.first { $0.name == name }?.value
        }
        return nil
    }
}
