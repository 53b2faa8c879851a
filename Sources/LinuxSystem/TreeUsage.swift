// SPDX-License-Identifier: Apache-2.0
import CLinux

/// What a directory tree holds; each inode counts once, however many names it has.
package struct TreeUsage: Sendable, Equatable {
    /// The bytes of everything but directories, as docker counts them: a file's length with its holes, a link's target.
    package var lengths: Int64 = 0
    /// The bytes of the blocks on disk, as du(1) counts them.
    package var allocated: Int64 = 0
    package var inodes: Int64 = 0

    package init() {}

    fileprivate mutating func add(_ info: stat) {
        inodes += 1
        // `st_blocks` counts 512 bytes each, whatever the file system's block size (stat(2)).
        let (bytes, isTooMuch) = Int64(info.st_blocks).multipliedReportingOverflow(by: 512)
        allocated = allocated.addingSaturating(isTooMuch ? .max : bytes)
        if !isDirectory(info) { lengths = lengths.addingSaturating(Int64(info.st_size)) }
    }
}

/// Counts the tree at `path`, itself included, without following symbolic links. What vanishes meanwhile counts as
/// nothing: a container may be running.
///
/// The tree may be what a container left: names are bytes that need not be text, depth has no bound, and sums of lengths
/// stop at the type's maximum. In memory are the names on the way down; two descriptors are open.
package func treeUsage(_ path: FilePath) throws(SysError) -> TreeUsage {
    let info = try status(path, follow: false)
    var usage = TreeUsage()
    guard isDirectory(info) else {
        usage.add(info)
        return usage
    }
    var count = try TreeCount(path)
    try count.run()
    return count.usage
}

private struct TreeCount: ~Copyable {
    /// A directory on the way from the top to `current`.
    private struct Frame {
        var identity: FileIdentity
        var name: [CChar]
        /// Directories in it that are still to be visited.
        var children: [[CChar]]
    }

    private let path: FilePath
    private var current: OwnedFD
    private var frames: [Frame] = []
    private var linked: Set<FileIdentity> = []
    private(set) var usage = TreeUsage()

    init(_ path: FilePath) throws(SysError) {
        self.path = path
        current = try open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    }

    mutating func run() throws(SysError) {
        usage.add(try status(current))
        try enter([])
        while let frame = frames.last {
            if let child = frame.children.last {
                frames[frames.count - 1].children.removeLast()
                try descend(child)
            } else {
                frames.removeLast()
                if !frames.isEmpty { try ascend() }
            }
        }
    }

    /// Counts the entries of the current directory and notes those to go on with.
    private mutating func enter(_ name: [CChar]) throws(SysError) {
        var children: [[CChar]] = []
        let directory = current.raw
        try forEachEntry(of: directory, path) { entry throws(SysError) in
            var info = stat()
            guard fstatat(directory, entry, &info, AT_SYMLINK_NOFOLLOW) == 0 else { return try ignoringVanished() }
            if isDirectory(info) {
                children.append(Array(UnsafeBufferPointer(start: entry, count: strlen(entry) + 1)))
            } else if info.st_nlink > 1, !linked.insert(FileIdentity(info)).inserted {
                return
            }
            usage.add(info)
        }
        frames.append(Frame(identity: FileIdentity(try status(current)), name: name, children: children))
    }

    private mutating func descend(_ name: [CChar]) throws(SysError) {
        let child = swrun_openat(current.raw, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
        guard child >= 0 else { return try ignoringVanished() }
        current = OwnedFD(owning: child)
        try enter(name)
    }

    /// Back to the directory of the last frame. If ours was moved elsewhere, the way there is taken from the top again.
    private mutating func ascend() throws(SysError) {
        let parent = swrun_openat(current.raw, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard parent >= 0 else { return try reopen() }
        current = OwnedFD(owning: parent)
        if FileIdentity(try status(current)) != frames.last?.identity { try reopen() }
    }

    /// Walks down to the last frame; those that are no longer where they were go without the rest of their children.
    private mutating func reopen() throws(SysError) {
        current = try open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        for (depth, frame) in frames.enumerated().dropFirst() {
            let child = swrun_openat(current.raw, frame.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
            guard child >= 0 else { return frames.removeSubrange(depth...) }
            let directory = OwnedFD(owning: child)
            guard FileIdentity(try status(directory)) == frame.identity else { return frames.removeSubrange(depth...) }
            current = directory
        }
    }

    private borrowing func ignoringVanished() throws(SysError) {
        let code = Errno.current
        guard [.noSuchFile, .notDirectory, .loop].contains(code) else {
            throw SysError("count tree", path.string, code)
        }
    }
}

extension Int64 {
    /// The sum of two sizes, at most the type's maximum.
    package func addingSaturating(_ other: Int64) -> Int64 {
        let (sum, isTooMuch) = addingReportingOverflow(other)
        return isTooMuch ? .max : sum
    }
}
