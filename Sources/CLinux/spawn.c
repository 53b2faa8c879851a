// SPDX-License-Identifier: Apache-2.0
// Process start from a program that may have threads: everything between vfork and execve must be
// async-signal-safe and must not return, which is why it is C.
#include "CLinux.h"

/// Moves `stdio` to 0, 1, 2. Sources are first lifted above 2 so that no move overwrites another's source.
static int place_stdio(const int stdio[3]) {
    int lifted[3];
    for (int i = 0; i < 3; i++) {
        lifted[i] = fcntl(stdio[i], F_DUPFD_CLOEXEC, 3);
        if (lifted[i] < 0) return -1;
    }
    for (int i = 0; i < 3; i++)
        if (dup2(lifted[i], i) < 0) return -1;
    return 0;
}

static void reset_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

pid_t swrun_spawn(const char *path, char *const argv[], char *const envp[], const char *cwd, const int stdio[3],
                  int flags) {
    volatile int failure = 0; // shared with the child: vfork runs in our memory
    sigset_t all, old;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old); // no handler of ours may run in the child
    pid_t pid = vfork();
    if (pid == 0) {
        if (flags & SWRUN_SPAWN_SETSID) setsid();
        if (flags & SWRUN_SPAWN_PDEATHSIG) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (flags & SWRUN_SPAWN_FOREGROUND) {
            setpgid(0, 0);
            tcsetpgrp(0, getpid()); // SIGTTOU is blocked
        }
        if ((cwd != NULL && chdir(cwd) != 0) || place_stdio(stdio) != 0) {
            failure = errno;
            _exit(127);
        }
        if (!(flags & SWRUN_SPAWN_KEEP)) syscall(436 /* close_range */, 3, ~0U, 0);
        reset_signals();
        execve(path, argv, envp);
        failure = errno;
        _exit(127);
    }
    int saved = errno;
    sigprocmask(SIG_SETMASK, &old, NULL);
    errno = saved;
    if (pid > 0 && failure != 0) {
        waitpid(pid, NULL, 0);
        errno = failure;
        return -1;
    }
    return pid;
}
