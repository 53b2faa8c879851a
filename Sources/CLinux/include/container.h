// SPDX-License-Identifier: Apache-2.0
// What making a container needs from the kernel: clone3, namespaces, the mount API by descriptor, capabilities,
// seccomp, BPF. Included by CLinux.h; the same rules hold.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// MARK: processes

/// clone3(2) as fork: the child continues in a copy of our memory. The caller must have one thread only. `flags` are
/// CLONE_*; `cgroup` is the descriptor of a cgroup2 directory the child starts in, or -1; `*pidfd` receives a pidfd.
/// CLONE_PARENT makes the child our sibling.
pid_t swrun_clone3(uint64_t flags, int cgroup, int *pidfd);
int swrun_setns(int fd, int type);
/// pidfd_getfd(2): a copy of a descriptor of another process.
int swrun_pidfd_getfd(int pidfd, int number);
int swrun_unshare(int flags);
/// A child that unshares `flags`, inside the user namespace `user` unless that is -1, writes 0 or the error as an int to
/// `ready` and then does nothing until it is killed. Good for a program with threads. Returns its pid, or -1.
pid_t swrun_hold_namespaces(int flags, int user, int ready);
int swrun_sethostname(const char *name, size_t length);
int swrun_setdomainname(const char *name, size_t length);
/// execveat(2) of the open file itself (AT_EMPTY_PATH).
int swrun_execute_fd(int fd, char *const argv[], char *const envp[]);
/// sendfile(2) from the file's position.
ssize_t swrun_sendfile(int to, int from, size_t count);
/// The environment of this program (environ(7)).
char *const *swrun_environment(void);
/// Sets every signal to its default and unblocks all: execve(2) would keep what is ignored or blocked.
void swrun_reset_signals(void);
/// Lets the signals that ask for an end have it also for the first process of a pid namespace, until execve(2).
void swrun_end_on_signals(void);
/// Ends at once, without anything that exit(3) runs.
void swrun_exit_now(int code) __attribute__((noreturn));
/// getcwd(2), which unlike getcwd(3) says `(unreachable)` for a directory outside of the root; the length with its NUL.
int swrun_getcwd(char *buffer, size_t size);
int swrun_execve(const char *path, char *const argv[], char *const envp[]);
/// Sets and, if `old` is not NULL, reads a limit of a process.
int swrun_prlimit(pid_t pid, int resource, uint64_t soft, uint64_t hard);
/// Starts a new session keyring with this name and lets its owner search it; 0 where keyrings are switched off.
int swrun_join_session_keyring(const char *name);
/// access(2) with the effective ids (faccessat2, AT_EACCESS). Where a seccomp filter that is older than that call refuses
/// it, with the real ids, which a container's process has the same; where it refuses that too, everything is permitted.
int swrun_eaccess(const char *path, int mode);

// MARK: scheduling

/// What sched_setattr(2) takes.
struct swrun_scheduling {
    uint32_t policy;
    int32_t nice;
    uint32_t priority;
    uint64_t flags, runtime, deadline, period;
};
/// On the calling thread, as are the next ones.
int swrun_sched_setattr(const struct swrun_scheduling *wanted);
/// ioprio_set(2) for the calling process's group.
int swrun_ioprio_set(int value);
int swrun_set_affinity(const void *mask, size_t size);
/// set_mempolicy(2); `nodes` has `count` - 1 bits.
int swrun_set_mempolicy(int mode, const void *nodes, unsigned long count);
/// personality(2); the one until now.
int swrun_personality(unsigned long domain);

// MARK: mounts

int swrun_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data);
int swrun_umount2(const char *target, int flags);
int swrun_open_tree(int dir, const char *path, unsigned flags);
/// Mounts the detached tree `from` on the open file or directory `to`.
int swrun_move_mount(int from, int to);
/// mount_setattr(2) on the mount that `fd` is the root of.
int swrun_mount_setattr(int fd, int recursive, uint64_t set, uint64_t clear, uint64_t propagation);
/// mount_setattr(2) with MOUNT_ATTR_IDMAP: the mount shows owners as the user namespace maps them.
int swrun_mount_idmap(int fd, int recursive, int userns);
int swrun_fsopen(const char *type);
/// fsconfig(2); `key` and `value` as the command asks. What the kernel says about an error is read with read(fd).
int swrun_fsconfig(int fd, unsigned command, const char *key, const char *value);
int swrun_fsmount(int fd, unsigned attributes);
int swrun_mknodat(int dir, const char *name, mode_t mode, dev_t device);
/// The other end of a pty, opened through its master without any path (TIOCGPTPEER).
int swrun_pty_peer(int master);
int swrun_set_controlling_terminal(int fd);

// MARK: privileges

/// capget(2)/capset(2), version 3, on the calling thread.
int swrun_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable);
int swrun_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);
/// setresuid/setresgid/setgroups as plain system calls: there is one thread.
int swrun_set_user(uid_t uid);
int swrun_set_group(gid_t gid);
int swrun_set_groups(const gid_t *groups, size_t count);
/// seccomp(2), SECCOMP_SET_MODE_FILTER: `count` instructions of 8 bytes. Returns the listener's descriptor if
/// `flags` ask for one.
int swrun_seccomp_load(const void *instructions, unsigned short count, unsigned flags);
/// Loads a program of type BPF_PROG_TYPE_CGROUP_DEVICE; returns its descriptor.
int swrun_bpf_load_device(const void *instructions, unsigned count);
/// Attaches it to a cgroup2 directory, beside the programs that are there (BPF_F_ALLOW_MULTI).
int swrun_bpf_attach_device(int program, int cgroup);

// MARK: network

/// Sets the loopback interface of the current network namespace up.
int swrun_loopback_up(void);
