// SPDX-License-Identifier: Apache-2.0
import AsyncTTRPC
import SwiftProtobuf

/// containerd's store of sandboxes (`ctr sandboxes list`), of which this server has none: pods are not made here.
struct SandboxService: Sendable {
    func register(on table: inout RPCHandlerTable) {
        // The request is a filter and the answer a list; an empty message is the same for both, whatever is asked.
        table.unary("containerd.services.sandbox.v1.Store", "List", list)
    }

    private func list(_ request: Google_Protobuf_Empty, _ context: RPCContext) throws -> Google_Protobuf_Empty {
        .init()
    }
}
