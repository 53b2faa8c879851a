// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
package import LinuxSystem
package import SwiftProtobuf

extension Google_Protobuf_Any {
    /// A part of a runtime spec as containerd carries it: JSON under a type URL (`Spec`, `Process`, `LinuxResources`).
    package static func runtimeSpec(_ type: String, _ json: [UInt8]) -> Google_Protobuf_Any {
        Google_Protobuf_Any(typeURL: "types.containerd.io/opencontainers/runtime-spec/1/" + type, bytes: json)
    }
}

extension Timestamp {
    package init(_ message: Google_Protobuf_Timestamp) {
        self.init(nanoseconds: message.unixNanoseconds)
    }
}
