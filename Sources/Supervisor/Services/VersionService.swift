// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
import ContainerdAPI
import LinuxSystem
import SwiftProtobuf

/// Says which program answers.
package struct VersionService: Sendable {
    package init() {}

    package func register(on table: inout RPCHandlerTable) {
        table.unary("containerd.services.version.v1.Version", "Version", version)
    }

    private func version(
        _ request: Google_Protobuf_Empty, _ context: RPCContext
    ) throws -> Containerd_Services_Version_V1_VersionResponse {
        .with {
            $0.version = Version.number
            $0.revision = "swrun"
        }
    }
}
