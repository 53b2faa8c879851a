// SPDX-License-Identifier: Apache-2.0
import AsyncTTRPC
package import ContainerdAPI
import Logging
import SwiftProtobuf

extension SupervisorConnection {
    /// Follows the supervisor's events for ever (until the task is cancelled), over its restarts.
    ///
    /// - Parameter onConnect: called each time the stream has been opened, to ask for the present state: what happened
    ///   while there was no stream is not told again.
    package nonisolated func watchEvents(
        onConnect: @Sendable () async -> Void, _ handle: @Sendable (EventEnvelope) async -> Void
    ) async {
        while !Task.isCancelled {
            do {
                let request = Containerd_Services_Events_V1_SubscribeRequest.with {
                    $0.filters = ["namespace==" + namespace]
                }
                let events = try await serverStream(
                    "containerd.services.events.v1.Events", "Subscribe", request, returning: EventEnvelope.self)
                await onConnect()
                for try await event in events { await handle(event) }
            } catch {
                logger.debug("event stream ended", metadata: ["error": "\(error)"])
            }
            _ = try? await Task.sleep(for: .milliseconds(100))
        }
    }
}
