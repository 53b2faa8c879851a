// SPDX-License-Identifier: Apache-2.0
// The mount API by descriptor (open_tree(2) and its family), and terminals reached without a path.
#include "CLinux.h"

int swrun_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data) {
    return (int)syscall(SYS_mount, source, target, type, flags, data);
}

int swrun_umount2(const char *target, int flags) { return (int)syscall(SYS_umount2, target, flags); }

int swrun_open_tree(int dir, const char *path, unsigned flags) {
    return (int)syscall(428 /* open_tree */, dir, path, flags);
}

int swrun_move_mount(int from, int to) {
    return (int)syscall(429 /* move_mount */, from, "", to, "", 0x4 | 0x40 /* MOVE_MOUNT_[FT]_EMPTY_PATH */);
}

int swrun_mount_setattr(int fd, int recursive, uint64_t set, uint64_t clear, uint64_t propagation) {
    struct { uint64_t set, clear, propagation, userns; } attributes = {set, clear, propagation, 0};
    unsigned flags = 0x1000 /* AT_EMPTY_PATH */ | (recursive ? 0x8000 /* AT_RECURSIVE */ : 0);
    return (int)syscall(442 /* mount_setattr */, fd, "", flags, &attributes, sizeof attributes);
}

int swrun_mount_idmap(int fd, int recursive, int userns) {
    struct { uint64_t set, clear, propagation, userns; } attributes = {0x100000 /* IDMAP */, 0, 0, (uint64_t)userns};
    unsigned flags = 0x1000 /* AT_EMPTY_PATH */ | (recursive ? 0x8000 /* AT_RECURSIVE */ : 0);
    return (int)syscall(442 /* mount_setattr */, fd, "", flags, &attributes, sizeof attributes);
}

int swrun_fsopen(const char *type) { return (int)syscall(430 /* fsopen */, type, 1 /* FSOPEN_CLOEXEC */); }

int swrun_fsconfig(int fd, unsigned command, const char *key, const char *value) {
    return (int)syscall(431 /* fsconfig */, fd, command, key, value, 0);
}

int swrun_fsmount(int fd, unsigned attributes) {
    return (int)syscall(432 /* fsmount */, fd, 1 /* FSMOUNT_CLOEXEC */, attributes);
}

int swrun_mknodat(int dir, const char *name, mode_t mode, dev_t device) { return mknodat(dir, name, mode, device); }

int swrun_pty_peer(int master) { return ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC); }

int swrun_set_controlling_terminal(int fd) { return ioctl(fd, TIOCSCTTY, 0); }
