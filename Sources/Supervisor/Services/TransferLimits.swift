// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC

/// How much of one transfer is done at a time, and how often each of its parts is tried; nil is the usual, 0 no limit.
package struct TransferLimits: Sendable, Equatable {
    package var parallel: Int?
    package var attempts: Int?

    package init() {}

    /// What the caller wants: metadata of ours, since containerd has this in its configuration alone. What is no number
    /// is as good as absent.
    package init(_ context: RPCContext) {
        parallel = Self.number(context.metadata("swrun-transfer-parallel"))
        attempts = Self.number(context.metadata("swrun-transfer-attempts"))
    }

    private static func number(_ text: String?) -> Int? {
        text.flatMap { Int($0) }.flatMap { $0 < 0 ? nil : $0 == 0 ? .max : $0 }
    }
}
