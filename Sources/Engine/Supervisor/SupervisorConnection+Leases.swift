// SPDX-License-Identifier: Apache-2.0
import ContainerdAPI
import LinuxSystem
import SwiftProtobuf

private let service = "containerd.services.leases.v1.Leases"

/// The lease that the current task's calls are made under.
enum CurrentLease {
    @TaskLocal static var id: String?
}

/// Leases: what is stored under one is not collected, though nothing refers to it yet.
extension SupervisorConnection {
    /// Ours begin with this.
    private static var leasePrefix: String { "engine-" }

    /// How long the lease of a daemon that never came back lasts, in nanoseconds.
    private static var leaseLife: Int64 { 24 * 3600 * 1_000_000_000 }

    /// Keeps what `body` stores until it has returned: by then a name refers to it, or it is of no use.
    nonisolated func holdingLease<R>(_ body: () async throws -> R) async throws -> R {
        let id = Self.leasePrefix + "\(monotonicNanoseconds())-\(UInt32.random(in: 0 ... .max))"
        let expiry = Timestamp(nanoseconds: Timestamp.now.nanoseconds + Self.leaseLife)
        let request = Containerd_Services_Leases_V1_CreateRequest.with {
            ($0.id, $0.labels) = (id, ["containerd.io/gc.expire": expiry.rfc3339()])
        }
        let _: Containerd_Services_Leases_V1_CreateResponse = try await call(service, "Create", request)
        let result: Result<R, any Error>
        do { result = .success(try await CurrentLease.$id.withValue(id) { try await body() }) } catch {
            result = .failure(error)
        }
        try? await deleteLease(id)  // else it expires
        return try result.get()
    }

    /// Gives up the leases of an earlier life. To be called before anything is made under a new one.
    package func dropLeases() async throws {
        let answer: Containerd_Services_Leases_V1_ListResponse = try await call(
            service, "List", Containerd_Services_Leases_V1_ListRequest(), isIdempotent: true)
        for lease in answer.leases where lease.id.hasPrefix(Self.leasePrefix) { try await deleteLease(lease.id) }
    }

    /// Removes what no image, lease or snapshot needs. Content that is only minutes old stays.
    package func collectGarbage() async throws {
        let lease: Containerd_Services_Leases_V1_CreateResponse = try await call(
            service, "Create", Containerd_Services_Leases_V1_CreateRequest())
        // A collection that is waited for comes with the end of a lease, and with nothing else.
        try await deleteLease(lease.lease.id, sync: true)
    }

    private func deleteLease(_ id: String, sync: Bool = false) async throws {
        let request = Containerd_Services_Leases_V1_DeleteRequest.with { ($0.id, $0.sync) = (id, sync) }
        let _: Google_Protobuf_Empty = try await call(service, "Delete", request)
    }
}
