// SPDX-License-Identifier: Apache-2.0
import Glibc
package import LinuxSystem

/// One operation: a message, and the words for its error.
package struct NetlinkOperation: Sendable, Equatable {
    var request: NetlinkRequest
    var name: String
    var subject: String
    /// An errno that counts as success, e.g. EEXIST where the thing may be there already.
    var tolerated: Errno?

    /// The same operation, which does not fail when the kernel answers `errno`.
    package func tolerating(_ errno: Errno) -> NetlinkOperation {
        var copy = self
        copy.tolerated = errno
        return copy
    }

    /// The bytes as they are sent, for tests.
    package func message(sequence: UInt32) -> [UInt8] { request.finish(sequence: sequence) }
}

/// A socket to one of the kernel's subsystems. It acts for ever on the network namespace of the thread that opened it. Not thread-safe:
/// one owner uses it at a time. No address is ever needed: an unbound netlink socket talks to the kernel.
package struct NetlinkSocket: ~Copyable, Sendable {
    private let fd: OwnedFD
    private var sequence: UInt32 = 0

    package enum Subsystem: Int32, Sendable {
        case route = 0
        case netfilter = 12
    }

    package init(_ subsystem: Subsystem = .route) throws(NetlinkError) {
        let type = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue)
        let number = socket(AF_NETLINK, type, subsystem.rawValue)
        guard number >= 0 else { throw NetlinkError(operation: "socket(AF_NETLINK)", subject: "", errno: .current) }
        fd = OwnedFD(owning: number)
        // The kernel's words for errors, without an echo of the request; a kernel that has neither is fine.
        var on: Int32 = 1
        for option in [Number.extendedAckOption, Number.cappedAckOption] {
            _ = unsafe setsockopt(number, Number.socketLevel, option, &on, socklen_t(MemoryLayout<Int32>.size))
        }
        // The kernel answers while it handles send(2), so a missing answer is a bug of ours: fail rather than hang.
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        _ = unsafe setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Does the operations in order, all in one send. The kernel goes on after a failure; the first failure is thrown
    /// after all answers were read.
    package mutating func run(_ operations: [NetlinkOperation]) throws(NetlinkError) {
        guard let firstOperation = operations.first else { return }
        let firstSequence = sequence &+ 1
        var batch: [UInt8] = []
        for operation in operations {
            sequence &+= 1
            batch += operation.request.finish(sequence: sequence)  // a multiple of 4 long, by construction
        }
        try send(batch, for: firstOperation)
        var failure: NetlinkError?
        var waiting = operations.count
        while waiting > 0 {
            for message in try receive(for: firstOperation) where message.type == MessageType.error {
                let index = Int(message.sequence &- firstSequence)
                guard index < operations.count, let answer = message.errorCode() else { continue }
                waiting -= 1
                let operation = operations[index]
                let errno = Errno(rawValue: answer.errno)
                guard answer.errno != 0, errno != operation.tolerated, failure == nil else { continue }
                failure = NetlinkError(
                    operation: operation.name, subject: operation.subject, errno: errno, text: answer.text)
            }
        }
        if let failure { throw failure }
    }

    package mutating func run(_ operation: NetlinkOperation) throws(NetlinkError) { try run([operation]) }

    /// Asks for objects, one (an acknowledged get) or all (a dump), and gives each reply's payload to `decode`.
    mutating func query<T>(
        _ operation: NetlinkOperation, _ decode: (ArraySlice<UInt8>) -> T?
    ) throws(NetlinkError) -> [T] {
        sequence &+= 1
        try send(operation.request.finish(sequence: sequence), for: operation)
        var found: [T] = []
        while true {
            for message in try receive(for: operation) where message.sequence == sequence {
                switch message.type {
                case MessageType.done: return found
                case MessageType.error:
                    guard let answer = message.errorCode(), answer.errno != 0 else { return found }
                    throw NetlinkError(
                        operation: operation.name, subject: operation.subject,
                        errno: Errno(rawValue: answer.errno), text: answer.text)
                default:
                    if let object = decode(message.payload) { found.append(object) }
                }
            }
        }
    }

    private func send(_ bytes: [UInt8], for operation: NetlinkOperation) throws(NetlinkError) {
        let number = fd.raw
        do throws(SysError) {
            try sys("send") { unsafe bytes.withUnsafeBytes { unsafe Glibc.send(number, $0.baseAddress, $0.count, 0) } }
        } catch {
            throw NetlinkError(operation: operation.name, subject: operation.subject, errno: error.errno)
        }
    }

    private func receive(for operation: NetlinkOperation) throws(NetlinkError) -> [NetlinkMessage] {
        let number = fd.raw
        var buffer = [UInt8](repeating: 0, count: 65536)
        do throws(SysError) {
            let count = try sys("recv") {
                // MSG_TRUNC: the true length even if it did not fit.
                unsafe buffer.withUnsafeMutableBytes { unsafe recv(number, $0.baseAddress, $0.count, Int32(MSG_TRUNC)) }
            }
            guard count <= buffer.count else { throw SysError("recv", "", .overflow) }
            return NetlinkMessage.split(buffer[0..<count])
        } catch {
            throw NetlinkError(operation: operation.name, subject: operation.subject, errno: error.errno)
        }
    }
}
