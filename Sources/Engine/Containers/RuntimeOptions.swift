// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import LinuxSystem
import SwiftProtobuf

/// What the shim is told about the runtime: containerd's options of the runc shims, which ours takes too.
enum RuntimeOptions {
    static let typeURL = "containerd.runc.v1.Options"

    static func message(
        _ runtime: RuntimeEntry?, _ configuration: EngineConfiguration
    ) throws(EngineError) -> Google_Protobuf_Any {
        let options = Containerd_Runc_V1_Options.with {
            $0.binaryName = runtime?.path ?? ""
            $0.root = configuration.runtimeRoot.string
        }
        do {
            let bytes: [UInt8] = try options.serializedBytes()
            return Google_Protobuf_Any(typeURL: typeURL, bytes: bytes)
        } catch {
            throw .internal("cannot encode the runtime's options: \(error)")
        }
    }
}
