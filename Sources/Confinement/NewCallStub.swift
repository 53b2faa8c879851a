// SPDX-License-Identifier: Apache-2.0

/// Classic BPF that answers ENOSYS to system calls above a limit and hands all others to the filter that follows it.
///
/// ```
/// A = architecture
/// for each limit: if A is its architecture: A = call number; if A > limit: return ENOSYS; go to the filter
/// ```
package struct NewCallStub: Sendable, Equatable {
    package struct Limit: Sendable, Equatable {
        /// AUDIT_ARCH_*
        package var architecture: UInt32
        package var highestCall: UInt32

        package init(architecture: UInt32, highestCall: UInt32) {
            self.architecture = architecture
            self.highestCall = highestCall
        }
    }

    package private(set) var program: [UInt8] = []

    package init(_ limits: [Limit]) {
        if limits.isEmpty { return }
        append(Op.loadWord, 4)
        for (index, limit) in limits.enumerated() {
            // The blocks of the others, and the instructions of this one that are behind the comparison.
            let rest = limits[(index + 1)...].reduce(0) { $0 + length($1) }
            append(Op.jumpIfEqual, limit.architecture, then: 0, otherwise: UInt8(length(limit) - 1))
            append(Op.loadWord, 0)
            if limit.isX86 { append(Op.jumpIfAtLeast, 0x4000_0000, then: UInt8(rest + 2), otherwise: 0) }  // x32
            append(Op.jumpIfGreater, limit.highestCall, then: 0, otherwise: UInt8(rest + 1))
            append(Op.answer, 0x0005_0000 | 38)  // SECCOMP_RET_ERRNO | ENOSYS
        }
    }

    private func length(_ limit: Limit) -> Int { limit.isX86 ? 5 : 4 }

    private mutating func append(_ op: UInt16, _ value: UInt32, then: UInt8 = 0, otherwise: UInt8 = 0) {
        withUnsafeBytes(of: op.littleEndian) { program.append(contentsOf: $0) }
        program.append(contentsOf: [then, otherwise])
        withUnsafeBytes(of: value.littleEndian) { program.append(contentsOf: $0) }
    }

    /// linux/bpf_common.h
    private enum Op {
        static let loadWord: UInt16 = 0x20
        static let jumpIfEqual: UInt16 = 0x15
        static let jumpIfGreater: UInt16 = 0x25
        static let jumpIfAtLeast: UInt16 = 0x35
        static let answer: UInt16 = 0x06
    }
}

extension NewCallStub.Limit {
    fileprivate var isX86: Bool { architecture == 0xC000_003E }
}
