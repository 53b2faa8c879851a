// SPDX-License-Identifier: Apache-2.0
// Where and when a process runs: calls that libc lacks, or has with types that Swift cannot make.
#include "CLinux.h"

int swrun_sched_setattr(const struct swrun_scheduling *wanted) {
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {sizeof attributes, wanted->policy, wanted->flags, wanted->nice, wanted->priority,
                    wanted->runtime, wanted->deadline, wanted->period};
    return (int)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

int swrun_ioprio_set(int value) { return (int)syscall(SYS_ioprio_set, 2 /* IOPRIO_WHO_PGRP */, 0, value); }

int swrun_set_affinity(const void *mask, size_t size) { return (int)syscall(SYS_sched_setaffinity, 0, size, mask); }

int swrun_set_mempolicy(int mode, const void *nodes, unsigned long count) {
    return (int)syscall(SYS_set_mempolicy, mode, nodes, count);
}

int swrun_personality(unsigned long domain) { return (int)syscall(SYS_personality, domain); }
