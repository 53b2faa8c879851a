// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
package import LinuxSystem

extension RPCContext {
    /// The tenant that the call is for; gRPC and ttrpc have their own metadata keys.
    package func namespace() throws(ServiceError) -> String {
        guard let name = metadata("containerd-namespace-ttrpc") ?? metadata("containerd-namespace"), !name.isEmpty
        else { throw ServiceError(.failedPrecondition, "namespace is required: failed precondition") }
        try Identifier.validate(name, what: "namespace")
        return name
    }

    /// The lease that keeps what the call makes from being collected.
    package var lease: String? { metadata("containerd-lease") }
}
