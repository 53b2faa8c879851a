// SPDX-License-Identifier: Apache-2.0
package import JSON
import Netlink

/// Asks a program beside the daemon, by docker's plugin protocol: the plugin's name, what it is to implement, the method
/// without that, the question.
package typealias PluginCall =
    @Sendable (_ plugin: String, _ kind: String, _ method: String, _ json: JSONValue) async throws(NetworkError) ->
    JSONValue

/// Who gives a network's addresses (`--ipam-driver`): ourselves, or a plugin.
package struct Addressing: Sendable, Equatable {
    package static let ownDriver = "default"
    package static let absentDriver = "null"
    /// What docker shows in place of a subnet where there is none.
    package static let absentPool = "0.0.0.0/0"

    package var driver = ownDriver
    package var options: [String: String] = [:]
    /// What the plugin calls the subnets; empty for none.
    var pool = ""
    var pool6 = ""
    /// The plugin wants to know the MAC address for which it gives an address.
    var needsMACAddress = false

    package var isRemote: Bool { driver != Addressing.ownDriver && !isAbsent }
    /// There are none (`null`), but what a network's plugin gives itself.
    package var isAbsent: Bool { driver == Addressing.absentDriver }

    package init(driver: String = ownDriver, options: [String: String] = [:]) {
        self.driver = driver
        self.options = options
    }
}

extension Addressing {
    /// The stored form.
    var json: JSONValue {
        [
            "driver": .string(driver), "options": .map(options), "pool": .string(pool), "pool6": .string(pool6),
            "needsMAC": .bool(needsMACAddress),
        ]
    }

    init(json: JSONValue?) {
        self.init(driver: json?["driver"]?.string ?? Addressing.ownDriver, options: json?["options"]?.map ?? [:])
        pool = json?["pool"]?.string ?? ""
        pool6 = json?["pool6"]?.string ?? ""
        needsMACAddress = json?["needsMAC"]?.bool ?? false
    }
}

/// A plugin that gives addresses, by docker's protocol (`IpamDriver`).
struct AddressPlugin: Sendable {
    /// A subnet that the plugin has lent.
    struct Pool<Address: NetworkAddress>: Sendable {
        var id: String
        var subnet: AddressPrefix<Address>
        /// nil leaves it to us to ask for one.
        var gateway: Address?
    }

    static let kind = "IpamDriver"
    private static let gatewayLabel = "com.docker.network.gateway"
    private static let macAddressLabel = "com.docker.network.endpoint.macaddress"

    let name: String
    let perform: PluginCall

    /// Whether it wants to know MAC addresses; most plugins do not know the question.
    func needsMACAddress() async -> Bool {
        (try? await call("GetCapabilities"))?["RequiresMACAddress"]?.bool ?? false
    }

    /// The name of what the plugin's subnets for one machine must not overlap in.
    func addressSpace() async throws(NetworkError) -> String {
        try await call("GetDefaultAddressSpaces")["LocalDefaultAddressSpace"]?.string ?? ""
    }

    func requestPool<Address>(
        in space: String, subnet: AddressPrefix<Address>?, range: AddressPrefix<Address>?, options: [String: String]
    ) async throws(NetworkError) -> Pool<Address> {
        let answer = try await call(
            "RequestPool",
            [
                "AddressSpace": .string(space), "Pool": .string(subnet?.description ?? ""),
                "SubPool": .string(range?.description ?? ""), "Options": .map(options),
                "V6": .bool(Address.self == IPv6Address.self),
            ])
        let id = answer["PoolID"]?.string ?? ""
        let text = answer["Pool"]?.string ?? ""
        guard let subnet = AddressPrefix<Address>(text)?.network else {
            try? await releasePool(id)
            throw NetworkError(.internal, "remote: ipam plugin \(name) gave no subnet: \"\(text)\"")
        }
        let gateway = answer["Data"]?[Self.gatewayLabel]?.string.flatMap { AddressPrefix<Address>($0)?.address }
        return Pool(id: id, subnet: subnet, gateway: gateway)
    }

    func releasePool(_ id: String) async throws(NetworkError) {
        _ = try await call("ReleasePool", ["PoolID": .string(id)])
    }

    func requestGateway<Address>(
        _ wanted: Address?, of pool: String
    ) async throws(NetworkError) -> AddressPrefix<Address> {
        try await requestAddress(wanted, of: pool, options: ["RequestAddressType": .string(Self.gatewayLabel)])
    }

    /// - Parameter macAddress: of the interface that is to have it, if the plugin wants to know.
    func requestAddress<Address>(
        _ wanted: Address?, of pool: String, macAddress: MACAddress? = nil
    ) async throws(NetworkError) -> AddressPrefix<Address> {
        let options = macAddress.map { [JSONValue.Member(Self.macAddressLabel, .string($0.description))] } ?? []
        return try await requestAddress(wanted, of: pool, options: .object(options))
    }

    private func requestAddress<Address>(
        _ wanted: Address?, of pool: String, options: JSONValue
    ) async throws(NetworkError) -> AddressPrefix<Address> {
        let answer = try await call(
            "RequestAddress",
            ["PoolID": .string(pool), "Address": .string(wanted?.description ?? ""), "Options": options])
        let text = answer["Address"]?.string ?? ""
        guard let address = AddressPrefix<Address>(text) else {
            throw NetworkError(.internal, "remote: ipam plugin \(name) gave no address: \"\(text)\"")
        }
        return address
    }

    func releaseAddress(_ address: String, of pool: String) async throws(NetworkError) {
        _ = try await call("ReleaseAddress", ["PoolID": .string(pool), "Address": .string(address)])
    }

    private func call(_ method: String, _ json: JSONValue = [:]) async throws(NetworkError) -> JSONValue {
        let answer = try await perform(name, Self.kind, method, json)
        if let problem = answer["Error"]?.string, !problem.isEmpty {
            throw NetworkError(.internal, "remote: \(problem)")
        }
        return answer
    }
}
