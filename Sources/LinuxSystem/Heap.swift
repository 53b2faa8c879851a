// SPDX-License-Identifier: Apache-2.0
#if !SWRUN_EMBEDDED
    import CLinux

    /// The memory that malloc(3) keeps for a daemon of many threads. glibc gives almost every thread an arena of its
    /// own and keeps in each what is freed, so that a transfer of large pieces by a dozen threads leaves tens of
    /// megabytes behind that nobody uses.
    package enum Heap {
        /// Bounds the number of arenas and what each keeps (mallopt(3)). To be called before the process has a second
        /// thread.
        ///
        /// Setting the thresholds also ends their growth: by default each large block that is freed makes glibc keep
        /// larger ones, up to 32 MiB.
        package static func limit() {
            mallopt(M_ARENA_MAX, 2)
            mallopt(M_MMAP_THRESHOLD, 1 << 20)
            mallopt(M_TRIM_THRESHOLD, 1 << 20)
        }

        /// Gives the kernel back what is free (malloc_trim(3)), after work that used much. Takes about a millisecond.
        package static func release() { malloc_trim(0) }
    }
#endif
