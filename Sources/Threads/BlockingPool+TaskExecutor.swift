// SPDX-License-Identifier: Apache-2.0

/// A pool can run the steps of tasks: of those that need so much of the processor that others must not wait behind them.
extension BlockingPool: TaskExecutor {
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        submit { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
