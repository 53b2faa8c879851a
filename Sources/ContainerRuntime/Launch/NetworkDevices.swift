// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import OCISpec

/// Moves interfaces of the host into the container's network namespace, with their addresses, and sets them up there
/// (config-linux.md, "Network Devices"; rtnetlink(7)).
func moveNetworkDevices(_ devices: [RuntimeLinux.NetworkDevice], to pid: Int32) throws(RuntimeError) {
    if devices.isEmpty { return }
    try step("move network devices") { () throws(SysError) in
        let namespace = try open(FilePath("/proc/\(pid)/ns/net"), O_RDONLY)
        let here = try RouteSocket()
        let there = try RouteSocket(in: namespace)
        for device in devices {
            let index = try here.index(of: device.hostName)
            let addresses = try here.addresses(of: index)
            try here.move(index, to: namespace, as: device)
            let newIndex = try there.index(of: device.name)
            for address in addresses { try there.add(address, to: newIndex) }
            try there.setUp(newIndex, device.name)
        }
    }
}

/// linux/rtnetlink.h, linux/netlink.h, linux/if_link.h
private enum Route {
    static let newLink: UInt16 = 16
    static let getLink: UInt16 = 18
    static let newAddress: UInt16 = 20
    static let getAddress: UInt16 = 22
    static let request: UInt16 = 0x5  // NLM_F_REQUEST | NLM_F_ACK
    static let dump: UInt16 = 0x300
    static let createOrReplace: UInt16 = 0x500
    static let nameAttribute: UInt16 = 3
    static let namespaceAttribute: UInt16 = 28
    static let up: UInt32 = 1
}

/// A netlink socket of one network namespace.
private struct RouteSocket: ~Copyable {
    private let socket: OwnedFD

    init() throws(SysError) { socket = OwnedFD(owning: try makeSocket()) }

    /// In another namespace, where the caller is for that moment only.
    init(in namespace: borrowing OwnedFD) throws(SysError) {
        let own = try open(FilePath("/proc/self/ns/net"), O_RDONLY)
        try joinNamespace(namespace, .network)
        var number: CInt = -1
        var failure: SysError?
        do throws(SysError) { number = try makeSocket() } catch { failure = error }
        try joinNamespace(own, .network)
        if let failure { throw failure }
        socket = OwnedFD(owning: number)
    }

    borrowing func index(of name: String) throws(SysError) -> Int32 {
        var message = RouteMessage(type: Route.getLink)
        message.append([UInt8](repeating: 0, count: 16))  // struct ifinfomsg
        message.append(attribute: Route.nameAttribute, Array(name.utf8) + [0])
        let answer = try ask(message, name)
        guard let found = answer.first, found.payload.count >= 16 else { throw SysError("find", name, .noSuchFile) }
        return Int32(bitPattern: word(found.payload, 4))
    }

    /// The addresses that somebody gave to the interface: as complete RTM_NEWADDR payloads.
    borrowing func addresses(of index: Int32) throws(SysError) -> [[UInt8]] {
        var message = RouteMessage(type: Route.getAddress, flags: Route.dump)
        message.append([UInt8](repeating: 0, count: 8))  // struct ifaddrmsg
        return try ask(message, "addresses").map { $0.payload }.filter { payload in
            // family, prefix length, flags (IFA_F_PERMANENT), scope (0: global, 253: link), index
            payload.count >= 8 && word(payload, 4) == UInt32(bitPattern: index) && payload[2] & 0x80 != 0
                && payload[3] < 253
        }
    }

    borrowing func move(
        _ index: Int32, to namespace: borrowing OwnedFD, as device: RuntimeLinux.NetworkDevice
    ) throws(SysError) {
        var message = RouteMessage(type: Route.newLink)
        message.append(linkHeader(index, flags: 0, mask: 0))
        message.append(attribute: Route.namespaceAttribute, bytes(UInt32(bitPattern: namespace.raw)))
        message.append(attribute: Route.nameAttribute, Array(device.name.utf8) + [0])
        _ = try ask(message, device.hostName)
    }

    borrowing func add(_ address: [UInt8], to index: Int32) throws(SysError) {
        var payload = address
        payload.replaceSubrange(4..<8, with: bytes(UInt32(bitPattern: index)))
        var message = RouteMessage(type: Route.newAddress, flags: Route.createOrReplace)
        message.append(payload)
        _ = try ask(message, "address")
    }

    borrowing func setUp(_ index: Int32, _ name: String) throws(SysError) {
        var message = RouteMessage(type: Route.newLink)
        message.append(linkHeader(index, flags: Route.up, mask: Route.up))
        _ = try ask(message, name)
    }

    private func linkHeader(_ index: Int32, flags: UInt32, mask: UInt32) -> [UInt8] {
        [0, 0, 0, 0] + bytes(UInt32(bitPattern: index)) + bytes(flags) + bytes(mask)
    }

    /// Sends a request and gives the messages of its answer; an error that the kernel answers is thrown.
    private borrowing func ask(_ message: RouteMessage, _ subject: String) throws(SysError) -> [RouteMessage.Answer] {
        try writeAll(socket, message.finished)
        var answers: [RouteMessage.Answer] = []
        while true {
            let received = try readSome(socket, upTo: 65536)
            if received.isEmpty { throw SysError("netlink", subject, .connectionReset) }
            for answer in RouteMessage.answers(received) {
                switch answer.type {
                case 2:  // NLMSG_ERROR, of which zero is the acknowledgement
                    guard answer.payload.count >= 4, word(answer.payload, 0) != 0 else { return answers }
                    throw SysError("netlink", subject, Errno(rawValue: -CInt(bitPattern: word(answer.payload, 0))))
                case 3: return answers  // NLMSG_DONE
                default: answers.append(answer)
                }
            }
        }
    }
}

private func makeSocket() throws(SysError) -> CInt {
    try sys("socket(AF_NETLINK)") { socket(16, 3 | SOCK_CLOEXEC_FLAG, 0) }  // SOCK_RAW
}

/// One netlink message (netlink(7)): length, type, flags, sequence, port; then the payload, then attributes.
private struct RouteMessage {
    struct Answer {
        var type: UInt16
        var payload: [UInt8]
    }

    private var content: [UInt8]

    init(type: UInt16, flags: UInt16 = 0) {
        content = [0, 0, 0, 0] + bytes(type) + bytes(flags | Route.request)
        content += bytes(UInt32(1)) + bytes(UInt32(0))
    }

    mutating func append(_ payload: [UInt8]) { content += payload }

    mutating func append(attribute: UInt16, _ value: [UInt8]) {
        content += bytes(UInt16(4 + value.count)) + bytes(attribute) + value
        while content.count % 4 != 0 { content.append(0) }
    }

    var finished: [UInt8] { bytes(UInt32(content.count)) + content.dropFirst(4) }

    static func answers(_ received: [UInt8]) -> [Answer] {
        var answers: [Answer] = []
        var rest = received[...]
        while rest.count >= 16 {
            let length = Int(word(Array(rest.prefix(4)), 0))
            if length < 16 || length > rest.count { break }
            let type = UInt16(rest[rest.startIndex + 4]) | UInt16(rest[rest.startIndex + 5]) << 8
            answers.append(Answer(type: type, payload: Array(rest.prefix(length).dropFirst(16))))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return answers
    }
}

private func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
}

private func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    bytes[offset..<offset + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
}
