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

    private var instructions: [FilterInstruction] = []

    package init(_ limits: [Limit]) {
        if limits.isEmpty { return }
        append(.load, 4)
        for (index, limit) in limits.enumerated() {
            // The blocks of the others, and the instructions of this one that are behind the comparison.
            let rest = limits[(index + 1)...].reduce(0) { $0 + length($1) }
            append(.jumpIfEqual, limit.architecture, otherwise: UInt8(length(limit) - 1))
            append(.load, 0)
            if limit.isX86 { append(.jumpIfAtLeast, 0x4000_0000, then: UInt8(rest + 2)) }  // x32
            append(.jumpIfGreater, limit.highestCall, otherwise: UInt8(rest + 1))
            append(.answer, 0x0005_0000 | 38)  // SECCOMP_RET_ERRNO | ENOSYS
        }
    }

    package var program: [UInt8] { instructions.bytes }

    private func length(_ limit: Limit) -> Int { limit.isX86 ? 5 : 4 }

    private mutating func append(
        _ operation: FilterInstruction.Operation, _ value: UInt32, then: UInt8 = 0, otherwise: UInt8 = 0
    ) {
        instructions.append(FilterInstruction(operation, value, then: then, otherwise: otherwise))
    }
}

extension NewCallStub.Limit {
    fileprivate var isX86: Bool { architecture == 0xC000_003E }
}
