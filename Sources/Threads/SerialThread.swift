// SPDX-License-Identifier: Apache-2.0
import Dispatch

/// Runs an actor's work in order, outside the cooperative pool, so that the work may block.
package final class SerialThread: SerialExecutor {
    private let queue: DispatchQueue

    package init(_ label: String) { queue = DispatchQueue(label: label) }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
