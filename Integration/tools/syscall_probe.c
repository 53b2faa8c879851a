// SPDX-License-Identifier: Apache-2.0
// Makes every system call with arguments that no call takes (-1), each in a process of its own, and prints the error:
// one line "NUMBER ERRNO" for each that came back with one. What a filter denies shows by comparison without the filter.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { newest = 470 };

// Not to be tried: they would make processes, or wait for the disks.
static int is_left_out(long number) {
    return number == SYS_clone || number == SYS_fork || number == SYS_vfork || number == SYS_sync;
}

static void attempt(long number, int *result) {
    struct itimerval limit = {.it_value = {.tv_usec = 100000}};  // for calls that wait, like pause(2)
    setitimer(ITIMER_REAL, &limit, NULL);
    if (syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) < 0) *result = errno;
    _exit(0);
}

int main(void) {
    int *results = mmap(NULL, sizeof(int) * (newest + 1), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (results == MAP_FAILED) return 1;
    for (long number = 0; number <= newest; number++) {
        if (is_left_out(number)) continue;
        pid_t child = fork();
        if (child < 0) return 1;
        if (child == 0) attempt(number, &results[number]);
        waitpid(child, NULL, 0);
    }
    for (long number = 0; number <= newest; number++)
        if (results[number]) printf("%ld %d\n", number, results[number]);
    return 0;
}
