// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

/// Copies what is below one open directory into another: the option `tmpcopyup`. Links and special files are made
/// again, never followed or opened.
func copyUp(from source: borrowing OwnedFD, to target: borrowing OwnedFD) throws(SysError) {
    for name in try listDirectory(source.procPath) {
        let entry = try openAt(source, name, O_PATH | O_NOFOLLOW)
        try copyEntry(name, try status(entry), from: source, to: target)
    }
    try copyAttributes(try status(source), to: target.raw, ".")
}

private func copyEntry(
    _ name: String, _ info: stat, from source: borrowing OwnedFD, to target: borrowing OwnedFD
) throws(SysError) {
    let number = target.raw
    if isDirectory(info) {
        try sys("mkdirat", name) { mkdirat(number, name, 0o700) }
        return try copyUp(
            from: try openAt(source, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
            to: try openAt(target, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
    } else if isSymbolicLink(info) {
        let link = try readLink(source.procPath / name)
        try sys("symlinkat", name) { symlinkat(link.string, number, name) }
    } else if isRegularFile(info) {
        let input = try openAt(source, name, O_RDONLY | O_NOFOLLOW)
        let output = try openAt(target, name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        while true {
            let bytes = try readSome(input, upTo: 65536)
            if bytes.isEmpty { break }
            try writeAll(output, bytes)
        }
    } else {
        try sys("mknodat", name) { swrun_mknodat(number, name, info.st_mode, info.st_rdev) }
    }
    try copyAttributes(info, to: number, name)
}

private func copyAttributes(_ info: stat, to directory: CInt, _ name: String) throws(SysError) {
    try sys("fchownat", name) { fchownat(directory, name, info.st_uid, info.st_gid, AT_SYMLINK_NOFOLLOW) }
    if !isSymbolicLink(info) {
        try sys("fchmodat", name) { fchmodat(directory, name, info.st_mode & 0o7777, 0) }
    }
}
