// SPDX-License-Identifier: Apache-2.0
package import JSON

/// The body of `POST /networks/create`, as text: the service decides what it means.
package struct NetworkCreateRequest: Sendable {
    package struct AddressConfig: Sendable {
        package var subnet: String
        package var range: String
        package var gateway: String
        package var auxiliary: [(key: String, value: String)]
    }

    package var name: String
    package var driver: String
    package var configs: [AddressConfig]
    package var ipamDriver: String
    package var ipamOptions: [(key: String, value: String)]
    package var isInternal: Bool
    package var isAttachable: Bool
    package var isIngress: Bool
    package var isConfigOnly: Bool
    package var configFrom: String
    /// `swarm`, `local`, `global` or empty.
    package var scope: String
    /// nil where the client does not say.
    package var enablesIPv4: Bool?
    package var enablesIPv6: Bool?
    package var options: [(key: String, value: String)]
    package var labels: [(key: String, value: String)]

    package init(json: JSONValue) {
        name = json["Name"]?.string ?? ""
        driver = json["Driver"]?.string ?? ""
        let ipam = json["IPAM"] ?? .null
        ipamDriver = ipam["Driver"]?.string ?? ""
        ipamOptions = ipam["Options"]?.stringPairs ?? []
        configs = (ipam["Config"]?.array ?? []).map { config in
            AddressConfig(
                subnet: config["Subnet"]?.string ?? "", range: config["IPRange"]?.string ?? "",
                gateway: config["Gateway"]?.string ?? "", auxiliary: config["AuxiliaryAddresses"]?.stringPairs ?? [])
        }
        isInternal = json["Internal"]?.bool ?? false
        isAttachable = json["Attachable"]?.bool ?? false
        isIngress = json["Ingress"]?.bool ?? false
        isConfigOnly = json["ConfigOnly"]?.bool ?? false
        configFrom = json["ConfigFrom"]?["Network"]?.string ?? ""
        scope = json["Scope"]?.string ?? ""
        enablesIPv4 = json["EnableIPv4"]?.bool
        enablesIPv6 = json["EnableIPv6"]?.bool
        options = json["Options"]?.stringPairs ?? []
        labels = json["Labels"]?.stringPairs ?? []
    }
}
