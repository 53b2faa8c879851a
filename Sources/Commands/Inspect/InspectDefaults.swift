// SPDX-License-Identifier: Apache-2.0
import GoTemplate
import JSON

/// Members that the API leaves out of an object, or has as null, when they are empty, but that templates may ask for:
/// `{{if .State.Health}}` must not be an error. They show only when they are asked for, not in `{{json .State}}`.
enum InspectDefaults {
    /// Each kind of object with members one of which it always has, and what else it may have.
    private static let kinds: [(markers: [String], members: [(name: String, value: JSONValue)])] = [
        (["Pid"], [("Health", .null)]),
        (
            ["HostConfig", "ResolvConfPath"],
            [("SizeRw", .null), ("SizeRootFs", .null), ("ImageManifestDescriptor", .null)]
        ),
        (
            ["RepoTags"],
            [
                ("Author", ""), ("Comment", ""), ("Container", ""), ("ContainerConfig", .null), ("Created", ""),
                ("Descriptor", .null), ("DockerVersion", ""), ("Manifests", .null), ("OsVersion", ""), ("Parent", ""),
                ("Variant", ""), ("VirtualSize", 0),
            ]
        ),
        (
            ["Test"],
            [
                ("Interval", "0s"), ("Timeout", "0s"), ("StartPeriod", "0s"), ("StartInterval", "0s"), ("Retries", 0),
            ]
        ),
        (
            ["Cmd", "Entrypoint", "Env", "WorkingDir", "User"],  // of an image, all that is empty is left out
            [
                ("ArgsEscaped", false), ("Cmd", .null), ("Entrypoint", .null), ("Env", .null), ("ExposedPorts", .null),
                ("Healthcheck", .null), ("Labels", .null), ("MacAddress", ""), ("OnBuild", .null), ("Shell", .null),
                ("StopSignal", ""), ("StopTimeout", .null), ("User", ""), ("Volumes", .null), ("WorkingDir", ""),
            ]
        ),
        (
            ["NetworkMode"],
            [
                ("Annotations", .null), ("StorageOpt", .null), ("Tmpfs", .null), ("Sysctls", .null), ("Runtime", ""),
                ("Mounts", .null), ("Init", .null),
            ]
        ),
        (["Mountpoint"], [("Status", .null), ("ClusterVolume", .null), ("UsageData", .null)]),
        (["IPAM"], [("Peers", .null), ("Services", .null)]),
        (["Subnet"], [("IPRange", ""), ("Gateway", ""), ("AuxAddress", .null)]),
        (["DefaultAPIVersion"], [("Platform", .null), ("GoVersion", ""), ("BuildTime", "")]),
        (
            ["MinAPIVersion"],
            [
                ("Platform", .object([])), ("Components", .null), ("Experimental", false), ("KernelVersion", ""),
                ("BuildTime", ""),
            ]
        ),
        (["LocalNodeState"], [("Nodes", 0), ("Managers", 0), ("Error", ""), ("Cluster", .null)]),
        (
            ["ClientInfo"],
            [
                ("SystemStatus", .null), ("ServerErrors", .null), ("DefaultAddressPools", .null),
                ("ProductLicense", ""), ("DiscoveredDevices", .null), ("FirewallBackend", .null), ("Containerd", .null),
            ]
        ),
    ]

    /// Members that are lists, or maps, in docker's client, where null is an empty one; other nulls are pointers.
    private static let lists: Set = [
        "Aliases", "Authorization", "Binds", "BlkioDeviceReadBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteBps",
        "BlkioDeviceWriteIOps", "BlkioWeightDevice", "CapAdd", "CapDrop", "Cmd", "Components", "DNSNames",
        "DefaultAddressPools", "DeviceCgroupRules", "DeviceRequests", "Devices", "DiscoveredDevices", "Dns",
        "DnsOptions", "DnsSearch", "Entrypoint", "Env", "ExecIDs", "ExtraHosts", "GenericResources", "GroupAdd",
        "Links", "Manifests", "MaskedPaths", "Mounts", "OnBuild", "Peers", "ReadonlyPaths", "RepoDigests", "RepoTags",
        "SecondaryIPAddresses", "SecondaryIPv6Addresses", "SecurityOpt", "ServerErrors", "Shell", "SystemStatus",
        "Ulimits", "VolumesFrom", "Warnings",
    ]
    private static let maps: Set = [
        "Annotations", "AuxAddress", "AuxiliaryAddresses", "Config", "Containers", "DriverOpts", "ExposedPorts",
        "Labels", "Options", "PortBindings", "Ports", "Services", "Status", "StorageOpt", "Sysctls", "Tmpfs",
        "Volumes",
    ]

    /// What `name` is in `object`, which does not have it or has null; nil when it is no member of such objects.
    static func value(of name: String, in object: JSONValue) -> TemplateValue? {
        guard let value = spelled(name, object) ?? omitted(name, object) else { return nil }
        if value == .null, lists.contains(name) { return .nilList }
        if value == .null, maps.contains(name) { return .nilMap }
        return .json(value)
    }

    /// Templates for docker's client may spell a member as Go does: `ID` for `Id`, `APIVersion` for `ApiVersion`.
    private static func spelled(_ name: String, _ object: JSONValue) -> JSONValue? {
        guard name.utf8.first.map({ (65...90).contains($0) }) == true else { return object[name] }
        return object.members?.first { $0.key.lowercased() == name.lowercased() }?.value
    }

    private static func omitted(_ name: String, _ object: JSONValue) -> JSONValue? {
        for kind in kinds where kind.markers.contains(where: { object[$0] != nil }) {
            if let member = kind.members.first(where: { $0.name == name }) { return member.value }
        }
        return nil
    }
}
