// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxSystem

/// One transaction on the namespace's nftables rules, as the kernel reports it.
package struct NFTablesChange: Sendable, Equatable {
    /// The tables of family `ip` that lost something: a rule, a chain, a set, an element, or all of it.
    var tables: Set<String> = []
    /// The thread that made the transaction.
    var thread: Int32 = 0
    /// Reports were lost: anything may have changed.
    var isUnknown = false

    package func removesFrom(table: String) -> Bool { isUnknown || tables.contains(table) }

    /// This process made it.
    package var isOwn: Bool { thread > 0 && exists(FilePath("/proc/self/task/\(thread)")) }
}

/// Collects the reports of one transaction, which ends with a "new generation" (nfnetlink; linux/netfilter/nf_tables.h).
struct NFTablesReports {
    private var pending = NFTablesChange()

    private enum Kind {
        static let subsystem: UInt16 = 10
        static let deletions: Set<UInt16> = [2, 5, 8, 11, 14]  // NFT_MSG_DELTABLE, CHAIN, RULE, SET, SETELEM
        static let generation: UInt16 = 15  // NFT_MSG_NEWGEN
        static let tableName: UInt16 = 1  // NFTA_*_TABLE, the same number in all of them
        static let processID: UInt16 = 2  // NFTA_GEN_PROC_PID
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
                let id = attributes.first(Kind.processID)?.uint32(at: 0) ?? 0
                pending.thread = Int32(bitPattern: UInt32(bigEndian: id))
                changes.append(pending)
                pending = NFTablesChange()
            }
        }
        return changes
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
                onChange(NFTablesChange(isUnknown: true))  // we were too slow, and the kernel dropped some
            } else if count < 0, Errno.current == .interrupted {
                continue
            } else {
                return
            }
        }
    }
}
