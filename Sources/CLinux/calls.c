// SPDX-License-Identifier: Apache-2.0
// System calls and macros that Swift cannot express.
#include "CLinux.h"

#include <stdio.h>
#include <sys/sysmacros.h>

// Not by the library: musl's sets FD_CLOEXEC in a second call, for kernels that do not know O_CLOEXEC.
int swrun_open(const char *path, int flags, mode_t mode) { return swrun_openat(AT_FDCWD, path, flags, mode); }
int swrun_openat(int dir, const char *path, int flags, mode_t mode) {
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}
int swrun_fcntl(int fd, int command, long argument) { return fcntl(fd, command, argument); }
int swrun_ioctl_int(int fd, unsigned long request, long argument) { return ioctl(fd, request, argument); }
int swrun_ioctl_ptr(int fd, unsigned long request, void *argument) { return ioctl(fd, request, argument); }

// SIG_IGN is a number cast to a function.
int swrun_ignore_signal(int number) { return signal(number, SIG_IGN) == SIG_ERR ? -1 : 0; }

int swrun_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5) {
    return prctl(option, a2, a3, a4, a5);
}

int swrun_rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }
int swrun_renameat(int from_dir, const char *from, int to_dir, const char *to) { return renameat(from_dir, from, to_dir, to); }

int swrun_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct { uint64_t flags, mode, resolve; } how = {flags, mode, resolve};
    return (int)syscall(437 /* openat2 */, dir, path, &how, sizeof how);
}

int swrun_close_range(unsigned first, unsigned last, unsigned flags) {
    return (int)syscall(436 /* close_range */, first, last, flags);
}

int swrun_pidfd_open(pid_t pid, unsigned flags) { return (int)syscall(434 /* pidfd_open */, pid, flags); }

int swrun_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(424 /* pidfd_send_signal */, pidfd, signal, NULL, 0);
}

int swrun_pivot_root(const char *new_root, const char *put_old) {
    return (int)syscall(SYS_pivot_root, new_root, put_old);
}

int swrun_memfd_create(const char *name, unsigned flags) { return (int)syscall(SYS_memfd_create, name, flags); }

int swrun_wifexited(int status) { return WIFEXITED(status); }
int swrun_wexitstatus(int status) { return WEXITSTATUS(status); }
int swrun_wtermsig(int status) { return WTERMSIG(status); }
unsigned swrun_major(dev_t device) { return major(device); }
unsigned swrun_minor(dev_t device) { return minor(device); }
dev_t swrun_makedev(unsigned major_number, unsigned minor_number) { return makedev(major_number, minor_number); }
int swrun_errno(void) { return errno; }
void swrun_set_errno(int value) { errno = value; }
