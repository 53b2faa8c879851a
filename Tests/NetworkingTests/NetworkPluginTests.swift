// SPDX-License-Identifier: Apache-2.0
import JSON
import Netlink
import Testing

@testable import Networking

@Suite("Network plugins")
struct NetworkPluginTests {
    @Test("what a plugin answers to Join")
    func link() throws {
        let link = try PluginLink(json: [
            "InterfaceName": ["SrcName": "made", "DstPrefix": "wire"], "Gateway": "10.1.0.1", "GatewayIPv6": "fd00::1",
            "DisableGatewayService": true,
            "StaticRoutes": [
                ["Destination": "10.2.0.0/16", "RouteType": 1],
                ["Destination": "10.3.1.1/16", "RouteType": 0, "NextHop": "10.1.0.9"],
                ["Destination": "fd00:2::/64", "RouteType": 0, "NextHop": "fd00::9"],
            ],
        ])
        #expect(link.source == "made" && link.prefix == "wire" && link.refusesWayOut)
        #expect(link.gateway == IPv4Address("10.1.0.1") && link.gateway6 == IPv6Address("fd00::1"))
        #expect(link.routes.map(\.destination.description) == ["10.2.0.0/16", "10.3.0.0/16"])
        #expect(link.routes.map(\.gateway) == [nil, IPv4Address("10.1.0.9")])
        #expect(link.routes6.map(\.destination.description) == ["fd00:2::/64"])
        #expect(link.routes6.map(\.gateway) == [IPv6Address("fd00::9")])
    }

    @Test("nothing is fine", arguments: [JSONValue.null, [:], ["InterfaceName": .null]])
    func bare(_ json: JSONValue) throws {
        let link = try PluginLink(json: json)
        #expect(link.source.isEmpty && link.prefix == "eth" && link.gateway == nil && link.routes.isEmpty)
    }

    @Test(
        "nonsense is refused",
        arguments: [
            ["Gateway": "nowhere"], ["GatewayIPv6": "10.1.0.1"], ["InterfaceName": ["SrcName": "a/b"]],
            ["InterfaceName": ["SrcName": "a", "DstPrefix": "much-too-long-for-a-link"]],
            ["StaticRoutes": [["Destination": "10.2.0.0"]]],
            ["StaticRoutes": [["Destination": "10.2.0.0/16", "NextHop": "fd00::1"]]],
        ] as [JSONValue])
    func nonsense(_ json: JSONValue) { #expect(throws: NetworkError.self) { try PluginLink(json: json) } }

    @Test("who gives a network's addresses is kept")
    func addressing() {
        var addressing = Addressing(driver: "ledger", options: ["a": "b"])
        (addressing.pool, addressing.pool6, addressing.needsMACAddress) = ("p4", "p6", true)
        #expect(Addressing(json: addressing.json) == addressing && addressing.isRemote)
        #expect(Addressing(json: nil) == Addressing() && !Addressing().isRemote)
        #expect(!Addressing(driver: Addressing.absentDriver).isRemote)
    }

    @Test("a plugin of addresses is asked in docker's words")
    func addresses() async throws {
        let plugin = AddressPlugin(name: "ledger") { name, kind, method, json throws(NetworkError) in
            #expect(name == "ledger" && kind == "IpamDriver")
            switch method {
            case "RequestPool":
                #expect(json["V6"]?.bool == true && json["Pool"]?.string == "" && json["Options"]?["a"]?.string == "b")
                return [
                    "PoolID": "p", "Pool": "fd00:1::/64", "Data": ["com.docker.network.gateway": "fd00:1::7/64"],
                ]
            case "RequestAddress":
                #expect(json["PoolID"]?.string == "p")
                return ["Address": .string((json["Address"]?.string ?? "") + "/24")]
            default: return ["Error": "what?"]
            }
        }
        let pool: AddressPlugin.Pool<IPv6Address> = try await plugin.requestPool(
            in: "here", subnet: nil, range: nil, options: ["a": "b"])
        #expect(pool.id == "p" && pool.subnet.description == "fd00:1::/64" && pool.gateway == IPv6Address("fd00:1::7"))
        let address = try await plugin.requestAddress(IPv4Address("10.0.0.9"), of: "p")
        #expect(address.description == "10.0.0.9/24")
        await #expect(throws: NetworkError(.internal, "remote: what?")) { try await plugin.releasePool("p") }
    }
}
