// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// A limit of what is stored in some directories together: they are of one project, which the file system counts for
/// (XFS with `pquota`, ext4 with `prjquota`; quotactl(2)). Who has CAP_SYS_RESOURCE is not held to it.
enum ProjectQuota {
    private static let blockBytes: UInt64 = 512

    /// Puts empty directories of one file system into a project that nobody has, and limits it.
    ///
    /// - Parameter seed: any number; the search for a free project begins there.
    /// - Throws: what the kernel says where the file system keeps no such quotas.
    static func limit(_ directories: [FilePath], to bytes: Int64, seed: UInt32) throws(SysError) {
        guard let first = directories.first else { return }
        let project = try freeProject(on: first, from: seed)
        for directory in directories {
            let fd = try open(directory, O_RDONLY | O_DIRECTORY)
            let number = fd.raw
            try sys("set the project", directory.string) { swrun_set_project(number, project) }
        }
        try set(max(1, UInt64(max(0, bytes)) / blockBytes), of: project, on: first)  // 0 would be no limit
    }

    /// Gives the directory's project back.
    static func release(_ directory: FilePath) throws(SysError) {
        let fd = try open(directory, O_RDONLY | O_DIRECTORY)
        let number = fd.raw
        var project: UInt32 = 0
        try sys("get the project", directory.string) { swrun_get_project(number, &project) }
        if project != 0 { try set(0, of: project, on: directory) }
    }

    private static func set(_ blocks: UInt64, of project: UInt32, on directory: FilePath) throws(SysError) {
        let fd = try open(directory, O_RDONLY | O_DIRECTORY)
        let number = fd.raw
        try sys("quotactl_fd", directory.string) { swrun_set_project_quota(number, project, blocks) }
    }

    /// A project without limit and without files.
    private static func freeProject(on directory: FilePath, from seed: UInt32) throws(SysError) -> UInt32 {
        let fd = try open(directory, O_RDONLY | O_DIRECTORY)
        let number = fd.raw
        var project = seed
        while true {
            project = project & 0x7fff_ffff == 0 ? 1 : project & 0x7fff_ffff
            var (limit, used): (UInt64, UInt64) = (0, 0)
            do throws(SysError) {
                try sys("quotactl_fd", directory.string) { swrun_get_project_quota(number, project, &limit, &used) }
            } catch {
                guard error.errno == .noSuchFile else { throw error }  // XFS of a project that it never had
                return project
            }
            if limit == 0, used == 0 { return project }
            project += 1
        }
    }
}
