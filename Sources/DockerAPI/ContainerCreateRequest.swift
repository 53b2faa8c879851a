// SPDX-License-Identifier: Apache-2.0
package import JSON

/// The body of `POST /containers/create`: a `Config` with two more members.
package struct ContainerCreateRequest: Sendable {
    package var config: ContainerConfig
    package var hostConfig: HostConfig
    /// `NetworkingConfig.EndpointsConfig`: network name to endpoint settings.
    package var endpoints: [(key: String, value: JSONValue)]

    /// Whether there was no configuration at all, as with `null` and `{}`.
    package var isEmpty: Bool

    /// What is mounted below a read-only bind stays writable, as before version 1.44 of the API.
    package var mountsReadOnlyAtTopOnly = false

    package init(json: JSONValue) throws(FieldError) {
        guard json.members != nil || json.isNull else {
            throw FieldError(json, isNo: "runconfig.ContainerConfigWrapper")
        }
        isEmpty = json.members?.isEmpty ?? true
        config = try ContainerConfig(json: json)
        let host = try Self.object(json, "HostConfig", "container.HostConfig")
        let networking = try Self.object(json, "NetworkingConfig", "network.NetworkingConfig")
        hostConfig = try HostConfig(json: host)
        endpoints = (networking.field("EndpointsConfig") ?? .null).pairs
    }

    private static func object(_ json: JSONValue, _ name: String, _ type: String) throws(FieldError) -> JSONValue {
        let value = json.field(name) ?? .null
        guard value.isNull || value.members != nil else {
            throw FieldError(
                "json: cannot unmarshal \(value.kind) into Go struct field ContainerConfigWrapper.\(name) of type \(type)"
            )
        }
        return value
    }
}
