// SPDX-License-Identifier: Apache-2.0

/// Keeps transfers and collections of one namespace apart: a transfer relies on blobs that no record names yet, and a
/// collection removes such blobs. Any number of transfers, or one collection.
actor TransferGate {
    private struct State {
        var transfers = 0
        var isCollecting = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private var states: [String: State] = [:]

    /// Runs a transfer once no collection runs.
    nonisolated func transfer<R: Sendable>(
        _ namespace: String, _ body: @Sendable () async throws -> R
    ) async throws -> R {
        await begin(namespace)
        do {
            let result = try await body()
            await end(namespace)
            return result
        } catch {
            await end(namespace)
            throw error
        }
    }

    /// Runs a collection once no transfer runs.
    nonisolated func collection<R: Sendable>(
        _ namespace: String, _ body: @Sendable () async throws -> R
    ) async throws -> R {
        await beginCollection(namespace)
        do {
            let result = try await body()
            await endCollection(namespace)
            return result
        } catch {
            await endCollection(namespace)
            throw error
        }
    }

    private func begin(_ namespace: String) async {
        while states[namespace]?.isCollecting ?? false { await pause(namespace) }
        states[namespace, default: State()].transfers += 1
    }

    private func end(_ namespace: String) {
        states[namespace]?.transfers -= 1
        wake(namespace)
    }

    private func beginCollection(_ namespace: String) async {
        while let state = states[namespace], state.isCollecting || state.transfers > 0 { await pause(namespace) }
        states[namespace, default: State()].isCollecting = true
    }

    private func endCollection(_ namespace: String) {
        states[namespace]?.isCollecting = false
        wake(namespace)
    }

    /// Waits for a change; the caller looks again, since others may have been faster.
    private func pause(_ namespace: String) async {
        await withCheckedContinuation { states[namespace, default: State()].waiters.append($0) }
    }

    private func wake(_ namespace: String) {
        let waiters = states[namespace]?.waiters ?? []
        states[namespace]?.waiters = []
        for waiter in waiters { waiter.resume() }
    }
}
