// SPDX-License-Identifier: Apache-2.0
// Numbers of the kernel's rtnetlink interface, under the kernel's names (netlink(7), rtnetlink(7), linux/if_link.h).

/// Message types.
enum MessageType {
    static let error: UInt16 = 2  // NLMSG_ERROR, also an acknowledgement when its code is 0
    static let done: UInt16 = 3  // NLMSG_DONE
    static let newLink: UInt16 = 16
    static let deleteLink: UInt16 = 17
    static let getLink: UInt16 = 18
    static let setLink: UInt16 = 19
    static let newAddress: UInt16 = 20
    static let deleteAddress: UInt16 = 21
    static let getAddress: UInt16 = 22
    static let newRoute: UInt16 = 24
    static let deleteRoute: UInt16 = 25
    static let getRoute: UInt16 = 26
    static let getFlow: UInt16 = 0x101  // NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET
    static let deleteFlow: UInt16 = 0x102  // IPCTNL_MSG_CT_DELETE
    static let getGeneration: UInt16 = 0xa10  // NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN
}

/// NLM_F_*.
enum MessageFlags {
    static let request: UInt16 = 0x001
    static let acknowledge: UInt16 = 0x004
    static let dump: UInt16 = 0x300
    static let replace: UInt16 = 0x100
    static let exclusive: UInt16 = 0x200
    static let create: UInt16 = 0x400
    static let capped: UInt16 = 0x100  // in replies: the request is not echoed
    static let extendedAck: UInt16 = 0x200  // in replies: attributes follow the error
}

/// IFLA_*.
enum LinkAttribute {
    static let address: UInt16 = 1
    static let name: UInt16 = 3
    static let mtu: UInt16 = 4
    static let parent: UInt16 = 5  // IFLA_LINK
    static let master: UInt16 = 10
    static let linkInfo: UInt16 = 18
    static let alias: UInt16 = 20
    static let perFamily: UInt16 = 26  // IFLA_AF_SPEC
    static let namespaceFD: UInt16 = 28
    static let infoKind: UInt16 = 1
    static let infoData: UInt16 = 2
    static let infoSlaveKind: UInt16 = 4
    static let infoSlaveData: UInt16 = 5
    static let vethPeer: UInt16 = 1
    static let bridgePortHairpin: UInt16 = 4  // IFLA_BRPORT_MODE
    static let bridgePortIsolated: UInt16 = 33
    static let inet6AddressGeneration: UInt16 = 8
}

/// IFA_*.
enum AddressAttribute {
    static let address: UInt16 = 1
    static let local: UInt16 = 2
    static let broadcast: UInt16 = 4
}

/// RTA_*.
enum RouteAttribute {
    static let destination: UInt16 = 1
    static let outputInterface: UInt16 = 4
    static let gateway: UInt16 = 5
    static let preferredSource: UInt16 = 7
    static let table: UInt16 = 15
}

enum Number {
    static let familyAny: UInt8 = 0
    static let familyIPv4: UInt8 = 2
    static let familyIPv6: UInt8 = 10
    static let interfaceUp: UInt32 = 1  // IFF_UP
    static let typeMask: UInt16 = 0x3fff
    static let nested: UInt16 = 0x8000  // NLA_F_NESTED
    static let tableMain: UInt8 = 254
    static let protocolBoot: UInt8 = 3
    static let scopeUniverse: UInt8 = 0
    static let scopeLink: UInt8 = 253
    static let routeUnicast: UInt8 = 1
    static let addressGenerationNone: UInt8 = 1
    static let addressNoDetection: UInt8 = 2  // IFA_F_NODAD
    static let acknowledgementText: UInt16 = 1  // NLMSGERR_ATTR_MSG
    static let socketLevel: Int32 = 270  // SOL_NETLINK
    static let extendedAckOption: Int32 = 11  // NETLINK_EXT_ACK
    static let cappedAckOption: Int32 = 10  // NETLINK_CAP_ACK
}
