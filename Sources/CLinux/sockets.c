// SPDX-License-Identifier: Apache-2.0
// Unix sockets: addresses are transparent unions and control messages are macros, neither of which Swift imports.
#include "CLinux.h"

enum { MAX_FDS = 8 };

/// The length of the address, or 0.
static socklen_t fill(struct sockaddr_un *address, const char *path) {
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return 0;
    }
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    if (path[0] != '@') return sizeof *address;
    address->sun_path[0] = 0; // all bytes of an abstract name count, so there may be none behind it
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

int swrun_bind_unix(int fd, const char *path) {
    struct sockaddr_un address;
    socklen_t length = fill(&address, path);
    return length == 0 ? -1 : bind(fd, (struct sockaddr *)&address, length);
}

int swrun_connect_unix(int fd, const char *path) {
    struct sockaddr_un address;
    socklen_t length = fill(&address, path);
    return length == 0 ? -1 : connect(fd, (struct sockaddr *)&address, length);
}

int swrun_accept4(int fd, int flags) { return accept4(fd, NULL, NULL, flags); }

ssize_t swrun_send_fds(int socket, const void *bytes, size_t length, const int *fds, int count) {
    char control[CMSG_SPACE(sizeof(int) * MAX_FDS)] = {0};
    struct iovec data = {(void *)bytes, length};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    if (count < 0 || count > MAX_FDS) {
        errno = EINVAL;
        return -1;
    }
    if (count > 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * (size_t)count);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL);
}

ssize_t swrun_recv_fds(int socket, void *bytes, size_t length, int *fds, int *count) {
    char control[CMSG_SPACE(sizeof(int) * MAX_FDS)];
    struct iovec data = {bytes, length};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int room = *count, received = 0;
    ssize_t result = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    *count = 0;
    if (result < 0) return result;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        int found = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (int i = 0; i < found; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + sizeof(int) * (size_t)i, sizeof fd);
            if (received < room) fds[received++] = fd;
            else close(fd);
        }
    }
    *count = received;
    return result;
}

int swrun_peer_credentials(int socket, pid_t *pid, uid_t *uid, gid_t *gid) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return -1;
    *pid = credentials.pid;
    *uid = credentials.uid;
    *gid = credentials.gid;
    return 0;
}
