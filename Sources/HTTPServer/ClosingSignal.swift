// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Tells that a client has gone away, even while nobody reads from the connection. Each connection has two:
///
/// * `closing`, while it speaks HTTP. On a unix socket the kernel tells a client that has gone from one that has only
///   closed its sending side and still reads. On TCP it does not, and there the closed sending side counts, as with
///   Go's server.
/// * `gone`, once it is hijacked: there a closed sending side is the end of the input only, on TCP too.
final class ClosingSignal: Sendable {
    private struct State {
        var isClosed = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Suspends until the client has closed, or the task is cancelled. One waiter at a time.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resumesNow = state.withLock { state in
                    if state.isClosed || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if resumesNow { continuation.resume() }
            }
        } onCancel: {
            resume()
        }
    }

    func close() {
        state.withLock { $0.isClosed = true }
        resume()
    }

    private func resume() {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
