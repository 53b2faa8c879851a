// SPDX-License-Identifier: Apache-2.0

/// What `work` returns; nil if it is not done when `limit` is over (none: it has all the time), or if the calling task is
/// cancelled: then `work` is cancelled, too, and its end is awaited.
package func outcome<R: Sendable, E: Error>(
    within limit: Duration?, of work: @escaping @Sendable () async throws(E) -> R
) async throws(E) -> R? {
    let first: Result<R, E>? = await withTaskGroup(of: Result<R, E>?.self) { group in
        group.addTask {
            do throws(E) { return .success(try await work()) } catch { return .failure(error) }
        }
        if let limit {
            group.addTask {
                try? await Task.sleep(for: limit)
                return nil
            }
        }
        defer { group.cancelAll() }
        return await group.next() ?? nil
    }
    return try first?.get()
}
