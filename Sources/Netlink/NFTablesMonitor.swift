// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxSystem

/// One transaction on the namespace's nftables rules, as the kernel reports it.
package struct NFTablesChange: Sendable, Equatable {
    /// The tables of family `ip` that lost something: a rule, a chain, a set, an element, or all of it.
    var tables: Set<String> = []
    /// Its number: each transaction in a network namespace has the next one. nil if reports were lost.
    ///
    /// The report also names the thread that made it, but by its id in the host's first PID namespace, so a daemon in
    /// another one would not know its own.
    package var generation: UInt32?
    /// Reports were lost: anything may have changed.
    var isUnknown = false

    package init() {}

    package func removesFrom(table: String) -> Bool { isUnknown || tables.contains(table) }
}

/// Collects the reports of one transaction, which ends with a "new generation" (nfnetlink; linux/netfilter/nf_tables.h).
struct NFTablesReports {
    private var pending = NFTablesChange()

    private enum Kind {
        static let subsystem: UInt16 = 10
        static let deletions: Set<UInt16> = [2, 5, 8, 11, 14]  // NFT_MSG_DELTABLE, CHAIN, RULE, SET, SETELEM
        static let generation: UInt16 = 15  // NFT_MSG_NEWGEN
        static let tableName: UInt16 = 1  // NFTA_*_TABLE, the same number in all of them
    }

    /// Takes one datagram; returns the transactions that it completes.
    mutating func take(_ datagram: ArraySlice<UInt8>) -> [NFTablesChange] {
        var changes: [NFTablesChange] = []
        for message in NetlinkMessage.split(datagram) where message.type >> 8 == Kind.subsystem {
            let attributes = NetlinkAttributes(message.payload.dropFirst(4))  // after struct nfgenmsg
            let kind = message.type & 0xff
            if Kind.deletions.contains(kind), message.payload.uint8(at: 0) == Number.familyIPv4,
                let table = attributes.first(Kind.tableName)?.cString
            {
                pending.tables.insert(table)
            } else if kind == Kind.generation {
                pending.generation = attributes.nftablesGeneration
                changes.append(pending)
                pending = NFTablesChange()
            }
        }
        return changes
    }
}

extension NetlinkAttributes {
    /// NFTA_GEN_ID
    fileprivate var nftablesGeneration: UInt32? { first(1)?.uint32(at: 0).map { UInt32(bigEndian: $0) } }
}

extension NetlinkSocket {
    /// The number of the last nftables transaction in the namespace of the socket, which was made with
    /// `init(.netfilter)`. nil if the kernel does not tell.
    package mutating func nftablesGeneration() throws(NetlinkError) -> UInt32? {
        var request = NetlinkRequest(type: MessageType.getGeneration, flags: MessageFlags.acknowledge)
        request.append(UInt32(0))  // struct nfgenmsg: any family
        let operation = NetlinkOperation(request: request, name: "get nftables generation", subject: "")
        return try query(operation) { NetlinkAttributes($0.dropFirst(4)).nftablesGeneration }.first
    }
}

/// Listens to changes of the nftables rules of the network namespace it was made in.
package struct NFTablesMonitor: ~Copyable {
    private let fd: OwnedFD

    package init() throws(NetlinkError) {
        let number = socket(
            AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), NetlinkSocket.Subsystem.netfilter.rawValue)
        guard number >= 0 else {
            throw NetlinkError(operation: "socket(NETLINK_NETFILTER)", subject: "", errno: .current)
        }
        let socket = OwnedFD(owning: number)
        // struct sockaddr_nl: the kernel chooses the port (a socket without one gets no reports), group NFNLGRP_NFTABLES.
        let address: [UInt32] = [UInt32(AF_NETLINK), 0, 1 << (7 - 1)]
        let bound = address.withUnsafeBytes { bytes in
            let pointer = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
            return bind(number, __CONST_SOCKADDR_ARG(__sockaddr__: pointer), 12)
        }
        guard bound == 0 else { throw NetlinkError(operation: "join nftables group", subject: "", errno: .current) }
        fd = socket
    }

    /// Calls `onChange` for each transaction, on a thread of its own that ends with the process or when the kernel
    /// refuses to report more.
    package consuming func start(_ onChange: @escaping @Sendable (NFTablesChange) -> Void) {
        let box = ThreadBox(fd.relinquish(), onChange)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<ThreadBox>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(box).toOpaque())
        if code == 0 { pthread_detach(thread) } else { Unmanaged.passUnretained(box).release() }
    }
}

private final class ThreadBox {
    private let fd: OwnedFD
    private let onChange: @Sendable (NFTablesChange) -> Void

    init(_ fd: Int32, _ onChange: @escaping @Sendable (NFTablesChange) -> Void) {
        self.fd = OwnedFD(owning: fd)
        self.onChange = onChange
    }

    func run() {
        var reports = NFTablesReports()
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let number = fd.raw
            let count = buffer.withUnsafeMutableBytes { recv(number, $0.baseAddress, $0.count, 0) }
            if count > 0 {
                for change in reports.take(buffer[0..<count]) { onChange(change) }
            } else if count < 0, Errno.current == .noBuffers {
                var change = NFTablesChange()
                change.isUnknown = true  // we were too slow, and the kernel dropped some
                onChange(change)
            } else if count < 0, Errno.current == .interrupted {
                continue
            } else {
                return
            }
        }
    }
}
