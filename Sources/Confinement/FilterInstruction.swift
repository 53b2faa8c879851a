// SPDX-License-Identifier: Apache-2.0

/// One instruction of classic BPF (`struct sock_filter` of linux/filter.h).
struct FilterInstruction: Sendable, Equatable {
    var operation: Operation
    /// How many instructions a conditional jump skips, if its condition holds and if not.
    var then: UInt8 = 0
    var otherwise: UInt8 = 0
    var value: UInt32

    init(_ operation: Operation, _ value: UInt32, then: UInt8 = 0, otherwise: UInt8 = 0) {
        (self.operation, self.value, self.then, self.otherwise) = (operation, value, then, otherwise)
    }

    /// The operations that filters of system calls are made of (linux/bpf_common.h).
    enum Operation: UInt16, Sendable {
        /// A = the word at offset `value` of `struct seccomp_data`
        case load = 0x20
        /// A = A & value
        case mask = 0x54
        case answer = 0x06
        case jump = 0x05
        case jumpIfEqual = 0x15
        case jumpIfGreater = 0x25
        case jumpIfAtLeast = 0x35
        case jumpIfAnySet = 0x45
    }

    /// Whether a conditional jump's condition holds for `accumulator`.
    func holds(for accumulator: UInt32) -> Bool {
        switch operation {
        case .jumpIfEqual: accumulator == value
        case .jumpIfGreater: accumulator > value
        case .jumpIfAtLeast: accumulator >= value
        case .jumpIfAnySet: accumulator & value != 0
        case .load, .mask, .answer, .jump: false
        }
    }
}

extension [FilterInstruction] {
    /// The program of these bytes; nil if it has operations that `FilterInstruction` does not know.
    init?(bytes: [UInt8]) {
        self = []
        for start in stride(from: 0, to: bytes.count, by: 8) {
            guard start + 8 <= bytes.count,
                let operation = FilterInstruction.Operation(
                    rawValue: UInt16(bytes[start]) | UInt16(bytes[start + 1]) << 8)
            else { return nil }
            let value = bytes[(start + 4)..<(start + 8)].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            append(FilterInstruction(operation, value, then: bytes[start + 2], otherwise: bytes[start + 3]))
        }
    }

    /// As the kernel takes it.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * 8)
        for one in self {
            Swift.withUnsafeBytes(of: one.operation.rawValue.littleEndian) { bytes.append(contentsOf: $0) }
            bytes.append(one.then)
            bytes.append(one.otherwise)
            Swift.withUnsafeBytes(of: one.value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes
    }
}
