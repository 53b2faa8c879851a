// SPDX-License-Identifier: Apache-2.0
import CLinux

/// syncfs(2): flushes the whole file system that `directory` is on.
package func syncFileSystem(_ directory: FilePath) throws(SysError) {
    let opened = try open(directory, O_RDONLY | O_DIRECTORY)
    let fd = opened.raw
    try sys("syncfs", directory.string) { syncfs(fd) }
}
