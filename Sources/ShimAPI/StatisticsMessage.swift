// SPDX-License-Identifier: Apache-2.0
// A container's figures on the wire, as containerd's shims and services pass them (github.com/containerd/cgroups,
// metrics.proto of both versions).
package import Cgroups
package import TTRPC

extension CgroupStatistics {
    /// The message for the version of the cgroups that the figures are from.
    package var message: AnyMessage {
        isUnified
            ? AnyMessage(typeURL: Self.messageNameV2, value: encodedV2())
            : AnyMessage(typeURL: Self.messageNameV1, value: encodedV1())
    }

    /// Reads a shim's answer; nil for a message that is neither version's.
    package init?(messageName: String, value: [UInt8]) throws(ProtobufError) {
        if messageName == Self.messageNameV1 {
            try self.init(decodingV1: value)
        } else if messageName == Self.messageNameV2 {
            try self.init(decodingV2: value)
        } else {
            return nil
        }
    }
}

/// A message whose fields are mostly numbers: those, by field number; other fields are passed over.
struct NumberFields {
    private var numbers: [UInt64] = []
    /// The field that repeats, packed or not.
    private(set) var list: [UInt64] = []

    init(_ bytes: ArraySlice<UInt8>, listed: UInt32 = 0) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            if field.number == listed {
                list += try field.numbers()
            } else if field.number < 64, let number = try? field.uint64() {
                while numbers.count <= Int(field.number) { numbers.append(0) }
                numbers[Int(field.number)] = number
            }
        }
    }

    subscript(_ field: UInt32) -> UInt64 { Int(field) < numbers.count ? numbers[Int(field)] : 0 }

    /// The fields from 1 on, under these names.
    func counters(_ names: [String]) -> CgroupCounters {
        var counters = CgroupCounters()
        for (index, name) in names.enumerated() {
            counters.all.append(CgroupCounters.Counter(name, self[UInt32(index + 1)]))
        }
        return counters
    }
}

extension ProtobufWriter {
    /// Fields from 1 on: the counters with these names.
    mutating func counters(_ counters: CgroupCounters, _ names: [String]) {
        for (index, name) in names.enumerated() { uint64(UInt32(index + 1), counters[name]) }
    }
}
