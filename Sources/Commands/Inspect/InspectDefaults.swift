// SPDX-License-Identifier: Apache-2.0
import JSON

/// Members that the API leaves out of a container when they are empty, but that templates may ask for:
/// `{{if .State.Health}}` must not be an error.
enum InspectDefaults {
    private static let members: [(object: String, defaults: [(key: String, value: JSONValue)])] = [
        ("State", [("Health", .null)]),
        (
            "Config",
            [
                ("ExposedPorts", .object([])), ("Healthcheck", .null), ("StopSignal", ""), ("StopTimeout", .null),
                ("Shell", []), ("MacAddress", ""),
            ]
        ),
        (
            "HostConfig",
            [
                ("Annotations", .object([])), ("StorageOpt", .object([])), ("Tmpfs", .object([])),
                ("Sysctls", .object([])), ("Runtime", ""), ("Mounts", []), ("Init", .null),
            ]
        ),
    ]

    static func filled(_ object: JSONValue) -> JSONValue {
        guard object["State"]?.members != nil, object["HostConfig"]?.members != nil else { return object }
        var filled = object
        for (name, defaults) in members {
            guard var part = object[name], part.members != nil else { continue }
            for (key, value) in defaults where part[key] == nil { part.set(key, value) }
            filled.set(name, part)
        }
        return filled
    }
}
