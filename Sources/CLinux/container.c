// SPDX-License-Identifier: Apache-2.0
// Processes, privileges and loopback for making containers.
#include "CLinux.h"

#include <net/if.h>

struct clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

pid_t swrun_clone3(uint64_t flags, int cgroup, int *pidfd) {
    struct clone_arguments arguments = {.flags = flags | 0x1000 /* CLONE_PIDFD */, .pidfd = (uint64_t)(uintptr_t)pidfd};
    if (!(flags & 0x8000 /* CLONE_PARENT, which takes our own exit signal */)) arguments.exit_signal = SIGCHLD;
    if (cgroup >= 0) {
        arguments.flags |= 0x200000000ULL; // CLONE_INTO_CGROUP
        arguments.cgroup = (uint64_t)cgroup;
    }
    return (pid_t)syscall(435 /* clone3 */, &arguments, sizeof arguments);
}

int swrun_setns(int fd, int type) { return (int)syscall(SYS_setns, fd, type); }
int swrun_pidfd_getfd(int pidfd, int number) { return (int)syscall(438 /* pidfd_getfd */, pidfd, number, 0); }
int swrun_unshare(int flags) { return (int)syscall(SYS_unshare, flags); }

/* Between clone and its end the child may call nothing that a thread of the parent could have locked. */
pid_t swrun_hold_namespaces(int flags, int user, int ready) {
    int pidfd = -1;
    pid_t parent = getpid();
    pid_t pid = swrun_clone3(0, -1, &pidfd);
    if (pid != 0) {
        if (pid > 0) close(pidfd);
        return pid;
    }
    int code = (user >= 0 && swrun_setns(user, CLONE_NEWUSER) != 0) || swrun_unshare(flags) != 0 ? errno : 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); // after that: a change of credentials clears it
    if (getppid() != parent) _exit(1);
    if (write(ready, &code, sizeof code) != sizeof code || code != 0) _exit(1);
    for (;;) pause();
}

int swrun_sethostname(const char *name, size_t length) { return (int)syscall(SYS_sethostname, name, length); }
int swrun_setdomainname(const char *name, size_t length) { return (int)syscall(SYS_setdomainname, name, length); }

int swrun_execute_fd(int fd, char *const argv[], char *const envp[]) {
    return (int)syscall(SYS_execveat, fd, "", argv, envp, 0x1000 /* AT_EMPTY_PATH */);
}

ssize_t swrun_sendfile(int to, int from, size_t count) { return syscall(SYS_sendfile, to, from, NULL, count); }
char *const *swrun_environment(void) { return environ; }

void swrun_reset_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < 65; number++) signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void end_by_signal(int number) { _exit(128 + number); }

void swrun_end_on_signals(void) {
    const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    for (int index = 0; index < 4; index++) signal(numbers[index], end_by_signal);
}

void swrun_exit_now(int code) { _exit(code); }

int swrun_getcwd(char *buffer, size_t size) { return (int)syscall(SYS_getcwd, buffer, size); }

int swrun_execve(const char *path, char *const argv[], char *const envp[]) { return execve(path, argv, envp); }

int swrun_prlimit(pid_t pid, int resource, uint64_t soft, uint64_t hard) {
    struct { uint64_t soft, hard; } limit = {soft, hard};
    return (int)syscall(SYS_prlimit64, pid, resource, &limit, NULL);
}

int swrun_join_session_keyring(const char *name) {
    long key = syscall(SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, name, 0, 0, 0);
    if (key < 0) return errno == ENOSYS || errno == EDQUOT ? 0 : -1;
    long search = 0x8000000 /* possessor */ | 0x80000 /* user */; // KEY_POS_SEARCH, KEY_USR_SEARCH
    return (int)syscall(SYS_keyctl, 5 /* KEYCTL_SETPERM */, key, search | 0x3f000000 | 0x3f0000, 0, 0);
}

int swrun_eaccess(const char *path, int mode) {
    int result = (int)syscall(439 /* faccessat2 */, AT_FDCWD, path, mode, 0x200 /* AT_EACCESS */);
    if (result == 0 || (errno != EPERM && errno != ENOSYS)) return result;
    result = (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
    return result != 0 && (errno == EPERM || errno == ENOSYS) ? 0 : result;
}

// The kernel's structures are written out here: musl's headers lack <linux/…>.
struct capability_data {
    uint32_t effective, permitted, inheritable;
};

static int capability_call(long number, struct capability_data data[2]) {
    struct {
        uint32_t version;
        int pid;
    } header = {0x20080522 /* _LINUX_CAPABILITY_VERSION_3 */, 0};
    return (int)syscall(number, &header, data);
}

int swrun_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable) {
    struct capability_data data[2];
    if (capability_call(SYS_capget, data) != 0) return -1;
    *effective = data[0].effective | (uint64_t)data[1].effective << 32;
    *permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    *inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return 0;
}

int swrun_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct capability_data data[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)},
    };
    return capability_call(SYS_capset, data);
}

int swrun_set_user(uid_t uid) { return (int)syscall(SYS_setresuid, uid, uid, uid); }
int swrun_set_group(gid_t gid) { return (int)syscall(SYS_setresgid, gid, gid, gid); }
int swrun_set_groups(const gid_t *groups, size_t count) { return (int)syscall(SYS_setgroups, count, groups); }

int swrun_seccomp_load(const void *instructions, unsigned short count, unsigned flags) {
    struct {
        unsigned short count;
        const void *instructions;
    } program = {count, instructions};
    return (int)syscall(SYS_seccomp, 1 /* SECCOMP_SET_MODE_FILTER */, flags, &program);
}

int swrun_bpf_load_device(const void *instructions, unsigned count) {
    struct {
        uint32_t type, count;
        uint64_t instructions, license;
        uint64_t unused[12];
    } attributes = {.type = 15 /* BPF_PROG_TYPE_CGROUP_DEVICE */, .count = count};
    attributes.instructions = (uint64_t)(uintptr_t)instructions;
    attributes.license = (uint64_t)(uintptr_t)"Apache-2.0";
    return (int)syscall(SYS_bpf, 5 /* BPF_PROG_LOAD */, &attributes, sizeof attributes);
}

int swrun_bpf_attach_device(int program, int cgroup) {
    struct {
        uint32_t target, program, type, flags;
        uint64_t unused[4];
    } attributes = {(uint32_t)cgroup, (uint32_t)program, 6 /* BPF_CGROUP_DEVICE */, 2 /* BPF_F_ALLOW_MULTI */, {0}};
    return (int)syscall(SYS_bpf, 8 /* BPF_PROG_ATTACH */, &attributes, sizeof attributes);
}

int swrun_loopback_up(void) {
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    int result = ioctl(fd, SIOCGIFFLAGS, &request);
    request.ifr_flags |= IFF_UP;
    if (result == 0) result = ioctl(fd, SIOCSIFFLAGS, &request);
    int saved = errno;
    close(fd);
    errno = saved;
    return result;
}
