// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
package import SwiftProtobuf

extension Google_Protobuf_Any {
    /// An Any as containerd writes it: the type URL is the message's full name without a prefix.
    package init(packing message: some Message) throws {
        self.init()
        typeURL = type(of: message).protoMessageName
        value = try message.serializedBytes()
    }

    package init(typeURL: String, bytes: [UInt8]) {
        self.init()
        self.typeURL = typeURL
        value = Data(bytes)
    }

    package var bytes: [UInt8] { [UInt8](value) }

    /// Whether this holds an `M`, with or without a prefix such as `type.googleapis.com/`.
    package func holds<M: Message>(_ type: M.Type) -> Bool {
        typeURL == M.protoMessageName || typeURL.hasSuffix("/" + M.protoMessageName)
    }

    /// The message inside; nil if it is of another type.
    package func unpacked<M: Message>(as type: M.Type = M.self) throws -> M? {
        guard holds(M.self) else { return nil }
        return try M(serializedBytes: value)
    }
}

extension Google_Protobuf_Timestamp {
    /// A moment in nanoseconds since 1970.
    package init(unixNanoseconds: Int64) {
        self.init()
        let nanoseconds = unixNanoseconds % 1_000_000_000
        seconds = unixNanoseconds / 1_000_000_000 - (nanoseconds < 0 ? 1 : 0)
        nanos = Int32(nanoseconds < 0 ? nanoseconds + 1_000_000_000 : nanoseconds)
    }

    /// Nanoseconds since 1970, at the ends of the range if a hostile value lies outside it.
    package var unixNanoseconds: Int64 {
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, sumOverflow) = scaled.addingReportingOverflow(Int64(nanos))
        return sumOverflow ? (seconds < 0 ? .min : .max) : sum
    }
}
