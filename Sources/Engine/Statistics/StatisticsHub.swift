// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Samples each container that somebody watches once a second, however many watch it.
package final class StatisticsHub: Sendable {
    private struct Watch {
        var listeners: [UInt64: AsyncStream<ContainerSample>.Continuation] = [:]
        var sampler: Task<Void, Never>?
    }

    private struct State {
        var watches: [String: Watch] = [:]
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())
    private let interval: Duration

    package init(interval: Duration = .seconds(1)) { self.interval = interval }

    /// The samples of a container from now on, the newest only for a reader that is slow. The stream ends with
    /// `finish(_:)`; the sampling ends when nobody iterates any more.
    ///
    /// - Parameter sample: takes one sample.
    func subscribe(
        _ container: String, sample: @escaping @Sendable () async -> ContainerSample
    ) -> AsyncStream<ContainerSample> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ContainerSample.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            state.nextID += 1
            state.watches[container, default: Watch()].listeners[state.nextID] = continuation
            if state.watches[container]?.sampler == nil {
                // Owned by the watch; cancelled with its last listener, and by `finish`.
                state.watches[container]?.sampler = Task { [weak self, interval] in
                    while !Task.isCancelled {
                        let taken = await sample()
                        guard let self else { return }
                        if Task.isCancelled { return }
                        yield(taken, container)
                        try? await Task.sleep(for: interval)
                    }
                }
            }
            return state.nextID
        }
        continuation.onTermination = { [weak self] _ in self?.leave(container, id) }
        return stream
    }

    /// The container is gone: its streams end.
    func finish(_ container: String) {
        guard let watch = state.withLock({ $0.watches.removeValue(forKey: container) }) else { return }
        watch.sampler?.cancel()
        for listener in watch.listeners.values { listener.finish() }
    }

    /// How many containers are sampled just now.
    package var watchedCount: Int { state.withLock { $0.watches.count } }

    private func yield(_ sample: ContainerSample, _ container: String) {
        let listeners = state.withLock { Array(($0.watches[container]?.listeners ?? [:]).values) }
        for listener in listeners { listener.yield(sample) }
    }

    private func leave(_ container: String, _ id: UInt64) {
        let sampler = state.withLock { state -> Task<Void, Never>? in
            state.watches[container]?.listeners[id] = nil
            guard let watch = state.watches[container], watch.listeners.isEmpty else { return nil }
            state.watches[container] = nil
            return watch.sampler
        }
        sampler?.cancel()
    }
}
