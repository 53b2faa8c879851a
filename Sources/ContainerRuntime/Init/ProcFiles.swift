// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem

private func openVerifiedProc() throws(SysError) -> OwnedFD {
    let root = try MountTree.new(type: "proc", source: "proc", options: []).fd.duplicate()
    guard try fileSystemType(root) == procMagic else { throw SysError("fsmount", "proc", .invalidArgument) }
    return root
}

/// A procfs of our own that is mounted nowhere: what is read and written here cannot have been replaced by the image's
/// mounts.
struct ProcFiles: ~Copyable {
    private let root: OwnedFD

    /// For the pid namespace of the calling process.
    init() throws(SysError) {
        root = try openVerifiedProc()
    }

    /// Writes to a file such as `sys/net/ipv4/ip_forward`.
    borrowing func write(_ path: String, _ text: String) throws(SysError) {
        let number = root.raw
        let resolve: UInt64 = 0x01 | 0x02 | 0x08  // RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH
        let file = OwnedFD(
            owning: try sys("openat2", path) {
                swrun_openat2(number, path, UInt64(O_WRONLY | O_CLOEXEC), 0, resolve)
            })
        let bytes = Array(text.utf8)
        let target = file.raw
        try sys("write", path) { bytes.withUnsafeBytes { CLinux.write(target, $0.baseAddress, $0.count) } }
    }

    /// Opens again what a descriptor of this process is, with another mode.
    borrowing func reopen(_ fd: borrowing OwnedFD, _ flags: CInt) throws(SysError) -> OwnedFD {
        try openAt(root, "self/fd/" + String(fd.raw), flags)
    }
}

/// The file below /proc/sys that a key names (sysctl(8)): whichever of `.` and `/` comes first separates directories,
/// and the other one then stands for `.` in a name, as in `net.ipv4.conf.eth0/100.forwarding`.
func sysctlPath(_ key: String) -> String {
    let (dot, slash) = (UInt8(ascii: "."), UInt8(ascii: "/"))
    guard key.utf8.first(where: { $0 == dot || $0 == slash }) == dot else { return key }
    return String(decoding: key.utf8.map { $0 == dot ? slash : $0 == slash ? dot : $0 }, as: UTF8.self)
}
