// SPDX-License-Identifier: Apache-2.0
import Netlink

/// A network of the drivers `macvlan` and `ipvlan`: its containers' interfaces are children of a link of the host's, so
/// that they are on that link's own network. Refusals are docker's.
struct ParentOptions: Sendable, Equatable {
    /// The link's name; one of ours that leads nowhere if the maker named none.
    var parent: String
    /// What kind of links the containers get.
    var child: ChildLink
    /// The kind and mode alone do for the one container that such a link can have (`passthru`).
    var isExclusive = false
    /// The link leads nowhere: there is no gateway.
    var isIsolated = false

    static let drivers = ["macvlan", "ipvlan"]

    private static let macvlanModes: [String: UInt32] = ["private": 1, "vepa": 2, "bridge": 4, "passthru": 8]
    private static let ipvlanModes: [String: UInt16] = ["l2": 0, "l3": 1, "l3s": 2]
    private static let ipvlanFlags: [String: UInt16] = ["bridge": 0, "private": 1, "vepa": 2]

    /// - Parameter id: of the network, for the name of a link that leads nowhere.
    init(driver: String, options: [String: String], id: String) throws(NetworkError) {
        func choose<Value>(_ option: String, _ values: [String: Value], _ standard: String) throws(NetworkError)
            -> Value
        {
            let text = options[option] ?? ""
            guard let value = values[text.isEmpty ? standard : text] else {
                let kind = option.drop { $0 != "_" }.dropFirst()
                throw NetworkError(
                    .invalidArgument,
                    "requested \(driver) \(kind) '\(text)' is not valid, '\(standard)' "
                        + (kind == "mode" ? "mode is" : "is") + " the \(driver) driver default")
            }
            return value
        }
        if driver == "macvlan" {
            child = .macvlan(mode: try choose("macvlan_mode", Self.macvlanModes, "bridge"))
            isExclusive = options["macvlan_mode"] == "passthru"
        } else {
            child = .ipvlan(
                mode: try choose("ipvlan_mode", Self.ipvlanModes, "l2"),
                flags: try choose("ipvlan_flag", Self.ipvlanFlags, "bridge"))
        }
        parent = options["parent"] ?? ""
        guard parent != "lo" else {
            throw NetworkError(.invalidArgument, "loopback interface is not a valid \(driver) parent link")
        }
        if parent.isEmpty {
            isIsolated = true
            parent = (driver == "macvlan" ? "dm-" : "di-") + id.prefix(12)
        }
    }

    /// `eth0.10`: the link that a VLAN's is made of, and the VLAN's number.
    static func vlan(_ name: String) throws(NetworkError) -> (parent: String, id: UInt16) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count > 1 else {
            throw NetworkError(
                .invalidArgument, "invalid subinterface vlan name \(name), example formatting is eth0.10")
        }
        guard parts.count == 2 else {
            throw NetworkError(
                .invalidArgument,
                "required interface name format is: name.vlan_id, ex. eth0.10 for vlan 10, instead received \(name)")
        }
        guard let number = Int(parts[1]) else {
            throw NetworkError(
                .invalidArgument, "unable to parse a valid vlan id from: \(parts[1]) (ex. eth0.10 for vlan 10)")
        }
        guard (1...4094).contains(number) else {
            throw NetworkError(.invalidArgument, "vlan id must be between 1-4094, received: \(number)")
        }
        return (String(parts[0]), UInt16(number))
    }
}

extension NetworkRecord {
    /// nil for networks of other drivers.
    var parentOptions: ParentOptions? {
        ParentOptions.drivers.contains(driver) ? try? ParentOptions(driver: driver, options: options, id: id) : nil
    }
}
