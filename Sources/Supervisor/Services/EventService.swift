// SPDX-License-Identifier: Apache-2.0
package import AsyncTTRPC
package import ContainerdAPI
package import LinuxSystem
package import SwiftProtobuf
import Synchronization

/// Hands events of the services and the shims to whoever subscribed. Nothing is kept: a subscriber that was away asks
/// for the state of what it cares about.
package final class EventService: Sendable {
    private struct Subscriber {
        var filters: FilterSet
        var queue: AsyncThrowingStream<EventEnvelope, any Error>.Continuation
    }

    /// A subscriber that falls this far behind is dropped with an error, so that it knows that it missed events.
    private static let queueLength = 8192

    private struct State {
        var nextID = 0
        var subscribers: [Int: Subscriber] = [:]
        var observers: [@Sendable (EventEnvelope) -> Void] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Publishes an event of our own.
    package func publish(_ namespace: String, topic: String, _ event: some Message) {
        guard let packed = try? Google_Protobuf_Any(packing: event) else { return }
        forward(
            .with {
                $0.namespace = namespace
                $0.topic = topic
                $0.event = packed
                $0.timestamp = .now
            })
    }

    /// Publishes an event that someone else made.
    package func forward(_ envelope: EventEnvelope) {
        let observers = state.withLock { state in
            for (id, subscriber) in state.subscribers where subscriber.filters.matches(envelope.filterField) {
                if case .dropped = subscriber.queue.yield(envelope) {
                    subscriber.queue.finish(throwing: ServiceError(.unavailable, "subscriber is too slow"))
                    state.subscribers[id] = nil
                }
            }
            return state.observers
        }
        for observer in observers { observer(envelope) }
    }

    /// Calls `body` for every event, for the life of the service.
    func observe(_ body: @escaping @Sendable (EventEnvelope) -> Void) { state.withLock { $0.observers.append(body) } }

    /// All matching events from now on. Dropping the stream ends the subscription.
    package func subscribe(_ filters: FilterSet) -> AsyncThrowingStream<EventEnvelope, any Error> {
        let (stream, queue) = AsyncThrowingStream<EventEnvelope, any Error>.makeStream(
            bufferingPolicy: .bufferingOldest(Self.queueLength))
        let id = state.withLock { state in
            state.nextID += 1
            state.subscribers[state.nextID] = Subscriber(filters: filters, queue: queue)
            return state.nextID
        }
        queue.onTermination = { [weak self] _ in
            // A task of its own: termination may run inside `forward`, which holds the lock.
            Task { self?.state.withLock { $0.subscribers[id] = nil } }
        }
        return stream
    }
}

extension EventEnvelope {
    fileprivate func filterField(_ path: [String]) -> String? {
        switch path {
        case ["topic"]: topic
        case ["namespace"]: namespace
        default: nil
        }
    }
}

extension EventService {
    package func register(on table: inout RPCHandlerTable) {
        let service = "containerd.services.events.v1.Events"
        table.unary(service, "Publish", publish)
        table.unary(service, "Forward", forward)
        table.serverStream(service, "Subscribe", subscribe)
        table.unary("containerd.services.events.ttrpc.v1.Events", "Forward", forwardFromShim)
    }

    private func publish(
        _ request: Containerd_Services_Events_V1_PublishRequest, _ context: RPCContext
    ) throws -> Google_Protobuf_Empty {
        let namespace = try context.namespace()
        guard request.topic.hasPrefix("/") else {
            throw ServiceError(.invalidArgument, "topic \"\(request.topic)\" must start with '/'")
        }
        forward(
            .with {
                $0.namespace = namespace
                $0.topic = request.topic
                $0.event = request.event
                $0.timestamp = .now
            })
        return Google_Protobuf_Empty()
    }

    private func forward(
        _ request: Containerd_Services_Events_V1_ForwardRequest, _ context: RPCContext
    ) throws -> Google_Protobuf_Empty {
        forward(request.envelope)
        return Google_Protobuf_Empty()
    }

    private func forwardFromShim(
        _ request: Containerd_Services_Events_Ttrpc_V1_ForwardRequest, _ context: RPCContext
    ) throws -> Google_Protobuf_Empty {
        forward(request.envelope)
        return Google_Protobuf_Empty()
    }

    private func subscribe(
        _ request: Containerd_Services_Events_V1_SubscribeRequest, _ context: RPCContext,
        _ send: @escaping @Sendable (EventEnvelope) async throws -> Void
    ) async throws {
        for try await event in subscribe(try FilterSet(request.filters)) { try await send(event) }
    }
}

extension Google_Protobuf_Timestamp {
    /// The wall clock's present.
    package static var now: Google_Protobuf_Timestamp {
        Google_Protobuf_Timestamp(unixNanoseconds: Timestamp.now.nanoseconds)
    }

    package init(_ timestamp: Timestamp) { self.init(unixNanoseconds: timestamp.nanoseconds) }
}
