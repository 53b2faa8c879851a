// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// A tracked flow of either family (ctnetlink; linux/netfilter/nfnetlink_conntrack.h): what matters to decide whether it
/// is stale.
package struct TrackedFlow: Sendable, Equatable {
    /// IPPROTO_UDP is 17.
    package var proto: UInt8
    /// The port that its first packet was sent to, before any translation.
    package var destinationPort: UInt16
    /// The address of who answers, in network order: behind a published port, the container's.
    package var answerer: [UInt8]
    private var family: UInt8
    /// CTA_TUPLE_ORIG as the kernel gave it; it names the flow.
    var original: [UInt8]

    private enum Attribute {
        static let original: UInt16 = 1  // CTA_TUPLE_ORIG
        static let reply: UInt16 = 2  // CTA_TUPLE_REPLY
        static let addresses: UInt16 = 1  // CTA_TUPLE_IP
        static let ports: UInt16 = 2  // CTA_TUPLE_PROTO
        static let sourceAddress: UInt16 = 1  // CTA_IP_V4_SRC
        static let sourceAddress6: UInt16 = 3  // CTA_IP_V6_SRC
        static let number: UInt16 = 1  // CTA_PROTO_NUM
        static let destinationPort: UInt16 = 3  // CTA_PROTO_DST_PORT
    }

    init?(_ payload: ArraySlice<UInt8>) {
        guard let family = payload.uint8(at: 0) else { return nil }
        let isIPv6 = family == Number.familyIPv6
        let attributes = NetlinkAttributes(payload.dropFirst(4))  // after struct nfgenmsg
        guard let original = attributes.first(Attribute.original), let reply = attributes.first(Attribute.reply),
            let ports = NetlinkAttributes(original).first(Attribute.ports),
            let proto = NetlinkAttributes(ports).first(Attribute.number)?.first,
            let addresses = NetlinkAttributes(reply).first(Attribute.addresses),
            let answerer = NetlinkAttributes(addresses).first(
                isIPv6 ? Attribute.sourceAddress6 : Attribute.sourceAddress),
            answerer.count == (isIPv6 ? 16 : 4)
        else { return nil }
        let port = NetlinkAttributes(ports).first(Attribute.destinationPort)?.uint16(at: 0) ?? 0
        self.proto = proto
        destinationPort = UInt16(bigEndian: port)
        self.answerer = Array(answerer)
        self.family = family
        self.original = Array(original)
    }

    /// Ends the tracking; one that ended meanwhile is fine.
    var deletion: NetlinkOperation {
        var request = NetlinkRequest(type: MessageType.deleteFlow, flags: MessageFlags.acknowledge)
        request.append(UInt32(family))
        request.attribute(Attribute.original | Number.nested, bytes: original)
        return NetlinkOperation(
            request: request, name: "delete tracked flow", subject: "to port \(destinationPort)", tolerated: .noSuchFile
        )
    }
}

extension NetlinkSocket {
    /// Forgets the tracked flows for which `isStale` holds, on a socket made with `init(.netfilter)`: a flow keeps the
    /// translation of its first packet for as long as packets come, whatever the rules say by then.
    package mutating func forgetFlows(where isStale: (TrackedFlow) -> Bool) throws(NetlinkError) {
        var request = NetlinkRequest(type: MessageType.getFlow, flags: MessageFlags.dump)
        request.append(UInt32(Number.familyAny))
        let dump = NetlinkOperation(request: request, name: "list tracked flows", subject: "")
        let stale = try query(dump) { payload in
            TrackedFlow(payload).flatMap { isStale($0) ? $0 : nil }
        }
        for flow in stale { try run(flow.deletion) }
    }
}
