// SPDX-License-Identifier: Apache-2.0
import JSON

/// Members that the API leaves out of an object when they are empty, but that templates may ask for:
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
        ("ResolvConfPath", [("SizeRw", .null), ("SizeRootFs", .null)]),
        ("Mountpoint", [("Status", .object([])), ("ClusterVolume", .null), ("UsageData", .null)]),
        ("IPAM", [("Peers", []), ("Services", .object([]))]),
        ("Subnet", [("IPRange", ""), ("Gateway", ""), ("AuxAddress", .object([]))]),
        ("DefaultAPIVersion", [("Platform", .null), ("GoVersion", ""), ("BuildTime", "")]),
        (
            "MinAPIVersion",
            [
                ("Platform", .object([])), ("Components", []), ("Experimental", false), ("KernelVersion", ""),
                ("BuildTime", ""),
            ]
        ),
        ("LocalNodeState", [("Nodes", 0), ("Managers", 0), ("Error", ""), ("Cluster", .null)]),
        (
            "ClientInfo",
            [
                ("SystemStatus", []), ("ServerErrors", []), ("DefaultAddressPools", []), ("ProductLicense", ""),
                ("DiscoveredDevices", []), ("FirewallBackend", .null), ("Containerd", .null),
            ]
        ),
    ]

    /// What `name` is in `object`, which does not have it; nil when it is no member of such objects. Templates for
    /// docker's client may spell a member as Go does: `ID` for `Id`, `APIVersion` for `ApiVersion`.
    static func value(of name: String, in object: JSONValue) -> JSONValue? {
        if name.utf8.first.map({ (65...90).contains($0) }) == true,
            let spelled = object.members?.first(where: { $0.key.lowercased() == name.lowercased() })
        {
            return spelled.value
        }
        for kind in kinds where object[kind.marker] != nil {
            return kind.members.first { $0.name == name }?.value
        }
        return nil
    }
}
