// SPDX-License-Identifier: Apache-2.0
package import JSON

/// The body of `POST /containers/create`: a `Config` with two more members.
package struct ContainerCreateRequest: Sendable {
    package var config: ContainerConfig
    package var hostConfig: HostConfig
    /// `NetworkingConfig.EndpointsConfig`: network name to endpoint settings.
    package var endpoints: [(key: String, value: JSONValue)]

    package init(json: JSONValue) throws(FieldError) {
        guard json.members != nil else {
            throw FieldError("json: cannot unmarshal \(json.kind) into Go value of type ContainerConfigWrapper")
        }
        config = try ContainerConfig(json: json)
        hostConfig = try HostConfig(json: json["HostConfig"] ?? .null)
        endpoints = (json["NetworkingConfig"]?["EndpointsConfig"] ?? .null).pairs
    }
}
