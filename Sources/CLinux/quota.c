// SPDX-License-Identifier: Apache-2.0
#include "CLinux.h"

#ifdef __GLIBC__ // musl comes without the kernel's headers, and the static programs need none of this
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>

#define PROJECT_COMMAND(command) (((command) << 8) | XQM_PRJQUOTA) // QCMD of <sys/quota.h>, which lacks projects

static int quotactl_of(int fd, int command, uint32_t project, struct fs_disk_quota *quota) {
    return (int)syscall(443 /* quotactl_fd */, fd, PROJECT_COMMAND(command), project, quota);
}

int swrun_get_project(int fd, uint32_t *project) {
    struct fsxattr attributes;
    if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) != 0) return -1;
    *project = attributes.fsx_projid;
    return 0;
}

int swrun_set_project(int fd, uint32_t project) {
    struct fsxattr attributes;
    if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) != 0) return -1;
    attributes.fsx_projid = project;
    attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
    return ioctl(fd, FS_IOC_FSSETXATTR, &attributes);
}

int swrun_get_project_quota(int fd, uint32_t project, uint64_t *limit, uint64_t *used) {
    struct fs_disk_quota quota = {0};
    if (quotactl_of(fd, Q_XGETQUOTA, project, &quota) != 0) return -1;
    *limit = quota.d_blk_hardlimit;
    *used = quota.d_bcount;
    return 0;
}

int swrun_set_project_quota(int fd, uint32_t project, uint64_t limit) {
    struct fs_disk_quota quota = {
        .d_version = FS_DQUOT_VERSION, .d_flags = FS_PROJ_QUOTA, .d_fieldmask = FS_DQ_BSOFT | FS_DQ_BHARD, .d_id = project,
        .d_blk_softlimit = limit, .d_blk_hardlimit = limit};
    return quotactl_of(fd, Q_XSETQLIM, project, &quota);
}
#endif
