// SPDX-License-Identifier: Apache-2.0
// The least that running a program in a container can cost: the system calls that the example bundle asks for, in C,
// without a config, a state, a log, errors or a filter. `floor ROOT CGROUP-DIRECTORY..` runs /bin/true.
#define _GNU_SOURCE
#include <fcntl.h>
#include <libgen.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FLAGS = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET, RESTRICTED = MS_NOSUID | MS_NODEV | MS_NOEXEC };
static const char *const masked[] = {"proc/acpi", "proc/kcore", "proc/keys", "proc/timer_list", "proc/interrupts", "sys/firmware"};
static const char *const read_only[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};

static void check(long result, const char *what) {
    if (result >= 0) return;
    perror(what);
    _exit(1);
}

static void mount_at(const char *source, const char *target, const char *type, unsigned long flags, const char *data) {
    mkdir(target, 0755);
    check(mount(source, target, type, flags, data), target);
}

static void bind_read_only(const char *source, const char *target) {
    struct stat info;
    if (stat(target, &info) != 0) return;
    check(mount(source, target, NULL, MS_BIND | MS_REC, NULL), target);
    check(mount(NULL, target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), target);
}

static void make_world(const char *root, char **cgroups) {
    check(mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL), "/");
    check(mount(root, root, NULL, MS_BIND | MS_REC, NULL), root);
    check(chdir(root), root);
    mount_at("proc", "proc", "proc", 0, NULL);
    mount_at("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
    mount_at("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
    mount_at("shm", "dev/shm", "tmpfs", RESTRICTED, "mode=1777,size=65536k");
    mount_at("mqueue", "dev/mqueue", "mqueue", RESTRICTED, NULL);
    mount_at("sysfs", "sys", "sysfs", RESTRICTED | MS_RDONLY, NULL);
    mount_at("tmpfs", "sys/fs/cgroup", "tmpfs", RESTRICTED, "mode=755");
    for (char target[4096]; *cgroups != NULL; cgroups++) {
        snprintf(target, sizeof target, "sys/fs/cgroup/%s", strrchr(dirname(strdup(*cgroups)), '/') + 1);
        mkdir(target, 0755);
        bind_read_only(*cgroups, target);
    }
    for (int minor = 3; minor < 10; minor++) {
        char name[] = {'d', 'e', 'v', '/', (char)('0' + minor), 0};
        if (minor != 4 && minor != 6) check(mknod(name, S_IFCHR | 0666, makedev(1, (unsigned)minor)), name);
    }
    check(mknod("dev/tty", S_IFCHR | 0666, makedev(5, 0)), "tty");
    check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
    check(umount2(".", MNT_DETACH), "umount2");
    check(chdir("/"), "chdir");
    for (size_t i = 0; i < sizeof read_only / sizeof *read_only; i++) bind_read_only(read_only[i], read_only[i]);
    for (size_t i = 0; i < sizeof masked / sizeof *masked; i++) {
        struct stat info;
        if (stat(masked[i], &info) != 0) continue;
        if (S_ISDIR(info.st_mode)) mount_at("tmpfs", masked[i], "tmpfs", MS_RDONLY, NULL);
        else check(mount("dev/3", masked[i], NULL, MS_BIND, NULL), masked[i]);
    }
    check(mount(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), "root");
}

static void run(const char *root, char **cgroups) {
    for (char **cgroup = cgroups; *cgroup != NULL; cgroup++) { // the calling thread alone: no grace period
        char path[4096];
        snprintf(path, sizeof path, "%s/tasks", *cgroup);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0) continue; // version 2, which it was born in
        check(write(fd, "0", 1), path);
        close(fd);
    }
    check(setsid(), "setsid");
    check(sethostname("floor", 5), "sethostname");
    make_world(root, cgroups);
    for (unsigned long capability = 0; capability < 41; capability++)
        if (capability != 5 && capability != 10 && capability != 29) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    char *arguments[] = {"/bin/true", NULL}, *environment[] = {"PATH=/bin", NULL};
    check(execve(arguments[0], arguments, environment), "execve");
}

int main(int count, char **arguments) {
    if (count < 2) return 2;
    struct { uint64_t flags, pidfd, child_tid, parent_tid, signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup; } how = {
        .flags = FLAGS, .signal = SIGCHLD};
    char **cgroups = arguments + 2;
    for (char **cgroup = cgroups; *cgroup != NULL; cgroup++) {
        char path[4096];
        check(mkdir(*cgroup, 0755), *cgroup);
        snprintf(path, sizeof path, "%s/cgroup.controllers", *cgroup);
        if (access(path, F_OK) != 0) continue;
        how.flags |= 0x200000000ULL; // CLONE_INTO_CGROUP
        how.cgroup = (uint64_t)open(*cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    for (char **cgroup = cgroups; *cgroup != NULL; cgroup++) {
        if (strstr(*cgroup, "/cpuset/") == NULL) continue;
        for (int i = 0; i < 2; i++) { // a new one has no processor
            char line[4096], path[4096];
            snprintf(path, sizeof path, "%s/../cpuset.%s", *cgroup, i ? "mems" : "cpus");
            int fd = open(path, O_RDONLY | O_CLOEXEC);
            ssize_t length = read(fd, line, sizeof line);
            close(fd);
            snprintf(path, sizeof path, "%s/cpuset.%s", *cgroup, i ? "mems" : "cpus");
            fd = open(path, O_WRONLY | O_CLOEXEC);
            check(write(fd, line, (size_t)length), path);
            close(fd);
        }
    }
    pid_t pid = (pid_t)syscall(435 /* clone3 */, &how, sizeof how);
    check(pid, "clone3");
    if (pid == 0) run(arguments[1], cgroups);
    int status;
    check(waitpid(pid, &status, 0), "waitpid");
    for (char **cgroup = cgroups; *cgroup != NULL; cgroup++) check(rmdir(*cgroup), *cgroup);
    return status == 0 ? 0 : 1;
}
