// SPDX-License-Identifier: Apache-2.0
// The only C of the project: Linux's headers for Swift, and one function for each system call or macro that Swift
// cannot express (missing from libc, variadic, a transparent union, or run between clone and exec). No policy, no
// allocation, no globals; every function returns -1 and sets errno like a system call unless its comment says more.
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "container.h"

// MARK: variadic in libc

int swrun_open(const char *path, int flags, mode_t mode);
int swrun_openat(int dir, const char *path, int flags, mode_t mode);
int swrun_fcntl(int fd, int command, long argument);
int swrun_ioctl_int(int fd, unsigned long request, long argument);
int swrun_ioctl_ptr(int fd, unsigned long request, void *argument);
int swrun_ignore_signal(int signal);
int swrun_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5);

/// rename(2): Swift finds it in <stdio.h> only, which Embedded Swift does without.
int swrun_rename(const char *from, const char *to);
int swrun_renameat(int from_dir, const char *from, int to_dir, const char *to);

/// The name of a directory entry: an array in a struct, which is a tuple of 256 elements to Swift.
static inline const char *swrun_entry_name(const struct dirent *entry) { return entry->d_name; }

// MARK: quotas of directory trees

/// The project that a file belongs to (ioctl_fs: FS_IOC_FSGETXATTR).
int swrun_get_project(int fd, uint32_t *project);
/// Puts a directory into a project, and what will be made in it.
int swrun_set_project(int fd, uint32_t project);
/// What a project may use of the file system that `fd` is on, and what it does, in blocks of 512 bytes (quotactl_fd(2)).
int swrun_get_project_quota(int fd, uint32_t project, uint64_t *limit, uint64_t *used);
/// 0 is no limit.
int swrun_set_project_quota(int fd, uint32_t project, uint64_t limit);

// MARK: not in Debian 12's libc, or not in musl's

/// openat2(2) with `struct open_how {flags, mode, resolve}`.
int swrun_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int swrun_close_range(unsigned first, unsigned last, unsigned flags);
int swrun_pidfd_open(pid_t pid, unsigned flags);
int swrun_pidfd_send_signal(int pidfd, int signal);
int swrun_pivot_root(const char *new_root, const char *put_old);
int swrun_memfd_create(const char *name, unsigned flags);

// MARK: macros

int swrun_wifexited(int status);
int swrun_wexitstatus(int status);
int swrun_wtermsig(int status);
unsigned swrun_major(dev_t device);
unsigned swrun_minor(dev_t device);
dev_t swrun_makedev(unsigned major, unsigned minor);
int swrun_errno(void);
void swrun_set_errno(int value);

// MARK: sockets (transparent unions and cmsg macros)

/// Binds or connects `fd` to the socket `path` (at most 107 bytes; with `@` in front, an abstract name); fails with
/// ENAMETOOLONG otherwise.
int swrun_bind_unix(int fd, const char *path);
int swrun_connect_unix(int fd, const char *path);
int swrun_accept4(int fd, int flags);
/// Sends `length` bytes with up to `count` descriptors (at most 8) attached, as SCM_RIGHTS.
ssize_t swrun_send_fds(int socket, const void *bytes, size_t length, const int *fds, int count);
/// Receives bytes and at most `*count` descriptors (close-on-exec); `*count` becomes the number received.
ssize_t swrun_recv_fds(int socket, void *bytes, size_t length, int *fds, int *count);
/// The peer's pid, uid and gid (SO_PEERCRED).
int swrun_peer_credentials(int socket, pid_t *pid, uid_t *uid, gid_t *gid);

// MARK: process start

/// Starts `path` with vfork semantics: `stdio[i]` becomes descriptor i, every other descriptor is closed (with
/// SWRUN_SPAWN_KEEP: those that are close-on-exec), all signals are unblocked and set to their defaults. `cwd` may be NULL. `flags`: SWRUN_SPAWN_*. Returns the pid, or -1 with the
/// errno of the step that failed, execve's included.
enum { SWRUN_SPAWN_SETSID = 1, SWRUN_SPAWN_PDEATHSIG = 2, SWRUN_SPAWN_FOREGROUND = 4, SWRUN_SPAWN_KEEP = 8 };
pid_t swrun_spawn(const char *path, char *const argv[], char *const envp[], const char *cwd, const int stdio[3],
                  int flags);
