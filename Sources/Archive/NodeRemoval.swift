// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// Removes a node and all below it, but nothing on another file system that is mounted there (EBUSY).
///
/// Somebody may be changing the tree, so every directory on the way stays open; of those there are so many at most.
func removeNode(_ name: TreeName, in directory: borrowing OwnedFD) throws(SysError) {
    guard let info = try name.status(in: directory) else { return }
    guard isDirectory(info) else { return try name.remove(in: directory, isDirectory: false) }
    var levels = [try RemovalLevel(name, in: directory)]
    while let level = levels.last {
        if let child = level.pending.last {
            levels[levels.count - 1].pending.removeLast()
            guard levels.count < 256 else {
                throw SysError("remove", name.display, .nameTooLong, hint: "more than 256 nested directories")
            }
            levels.append(try RemovalLevel(child, in: level.directory.fd))
            continue
        }
        levels.removeLast()
        if let parent = levels.last {
            try level.name.remove(in: parent.directory.fd, isDirectory: true)
        } else {
            try level.name.remove(in: directory, isDirectory: true)
        }
    }
}

/// A directory in which only directories are left, and those are not empty.
private struct RemovalLevel {
    let name: TreeName
    let directory: OwnedBox
    var pending: [TreeName] = []

    init(_ name: TreeName, in parent: borrowing OwnedFD) throws(SysError) {
        self.name = name
        directory = OwnedBox(try name.open(in: parent, O_RDONLY | O_DIRECTORY))
        guard try status(directory.fd).st_dev == status(parent).st_dev else {
            throw SysError("remove", name.display, .busy, hint: "another file system is mounted there")
        }
        for child in try names(in: directory.fd) {
            let child = TreeName(child)
            guard let info = try child.status(in: directory.fd) else { continue }
            if isDirectory(info) {
                pending.append(child)
            } else {
                try child.remove(in: directory.fd, isDirectory: false)
            }
        }
    }
}
