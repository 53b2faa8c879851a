// SPDX-License-Identifier: Apache-2.0
package import JSON

/// A network as `GET /networks` and `GET /networks/{id}` show it.
package struct NetworkResource: Sendable {
    package struct AddressConfig: Sendable {
        package var subnet: String
        package var range: String = ""
        package var gateway: String = ""
        package var auxiliary: [(key: String, value: String)] = []

        package init(subnet: String) { self.subnet = subnet }
    }

    package struct Endpoint: Sendable {
        package var containerID: String
        package var name: String
        package var endpointID: String
        package var macAddress: String
        package var address: String
        package var address6 = ""

        package init(containerID: String, name: String, endpointID: String, macAddress: String, address: String) {
            self.containerID = containerID
            self.name = name
            self.endpointID = endpointID
            self.macAddress = macAddress
            self.address = address
        }
    }

    package var id: String
    package var name: String
    package var driver: String
    /// RFC 3339.
    package var created: String
    package var isInternal = false
    package var isAttachable = false
    package var hasIPv4 = true
    package var hasIPv6 = false
    package var isConfigOnly = false
    package var configFrom = ""
    package var ipamDriver = "default"
    package var ipamOptions: [(key: String, value: String)] = []
    package var configs: [AddressConfig] = []
    package var endpoints: [Endpoint] = []
    package var options: [(key: String, value: String)] = []
    package var labels: [(key: String, value: String)] = []

    package init(id: String, name: String, driver: String, created: String) {
        self.id = id
        self.name = name
        self.driver = driver
        self.created = created
    }

    /// `withEndpoints`: only the inspection of a single network names its containers.
    package func json(withEndpoints: Bool) -> JSONValue {
        [
            "Name": .string(name), "Id": .string(id), "Created": .string(created), "Scope": "local",
            "Driver": .string(driver), "EnableIPv4": .bool(hasIPv4), "EnableIPv6": .bool(hasIPv6),
            "IPAM": [
                "Driver": .string(ipamDriver), "Options": ipamOptions.isEmpty ? .null : .texts(ipamOptions),
                "Config": configs.isEmpty ? .null : .array(configs.map(\.json)),
            ],
            "Internal": .bool(isInternal), "Attachable": .bool(isAttachable), "Ingress": false,
            "ConfigFrom": ["Network": .string(configFrom)], "ConfigOnly": .bool(isConfigOnly),
            "Containers": .sorted(withEndpoints ? endpoints.map { ($0.containerID, $0.json) } : []),
            "Options": .texts(options), "Labels": .texts(labels),
        ]
    }
}

extension JSONValue {
    /// An object of strings, sorted as Go writes a map.
    package static func texts(_ pairs: [(key: String, value: String)]) -> JSONValue {
        .sorted(pairs.map { (key: $0.key, value: JSONValue.string($0.value)) })
    }
}

extension NetworkResource.AddressConfig {
    fileprivate var json: JSONValue {
        var value: JSONValue = ["Subnet": .string(subnet)]
        if !range.isEmpty { value.set("IPRange", .string(range)) }
        if !gateway.isEmpty { value.set("Gateway", .string(gateway)) }
        if !auxiliary.isEmpty { value.set("AuxiliaryAddresses", .texts(auxiliary)) }
        return value
    }
}

extension NetworkResource.Endpoint {
    fileprivate var json: JSONValue {
        [
            "Name": .string(name), "EndpointID": .string(endpointID), "MacAddress": .string(macAddress),
            "IPv4Address": .string(address), "IPv6Address": .string(address6),
        ]
    }
}
