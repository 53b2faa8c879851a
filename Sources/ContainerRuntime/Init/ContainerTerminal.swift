// SPDX-License-Identifier: Apache-2.0
import CLinux
import LinuxSystem
import OCISpec

/// A pty from the container's own devpts. Its two ends are only ever used as descriptors: the image may have put links
/// at /dev/console and /dev/pts.
struct ContainerTerminal: ~Copyable {
    private let master: OwnedFD
    private let peer: OwnedFD

    init(root: borrowing OwnedFD, size: RuntimeProcess.ConsoleSize?) throws(SysError) {
        let master = try openMaster(root: root)
        let peer = try openPeer(master.raw)
        if let size, size.width > 0 || size.height > 0 {
            try setWindowSize(master, columns: size.width, rows: size.height)
        }
        self.master = master
        self.peer = peer
    }

    /// For a caller that stays in the foreground and whose output, still ours, is no terminal: who reads that from a pipe
    /// or a file wants no carriage return before each line feed.
    borrowing func endLinesAsOutputDoes() {
        var settings = termios()
        if isatty(1) == 1 || tcgetattr(peer.raw, &settings) != 0 { return }
        settings.c_oflag &= ~tcflag_t(ONLCR)
        _ = tcsetattr(peer.raw, TCSANOW, &settings)
    }

    /// Shows the container's end as /dev/console.
    borrowing func bindToConsole(root: borrowing OwnedFD) throws(SysError) {
        let dev = try openInRoot(root, "/dev", O_PATH | O_DIRECTORY)
        do throws(SysError) {
            _ = try openAt(dev, "console", O_CREAT | O_EXCL | O_NOFOLLOW | O_RDONLY, mode: 0o666)
        } catch {
            if error.errno != .exists { throw error }
        }
        let target = try openAt(dev, "console", O_PATH | O_NOFOLLOW)
        if isSymbolicLink(try status(target)) { throw SysError("open", "/dev/console", .loop) }
        try MountTree.clone(of: peer).attach(on: target)
    }

    borrowing func send(to socket: borrowing OwnedFD) throws(SysError) { try sendTerminal(master, to: socket) }

    /// Makes it the controlling terminal and stdin, stdout and stderr.
    borrowing func becomeStandard(owner uid: UInt32) throws(SysError) {
        let number = peer.raw
        try sys("fchown", "tty") { fchown(number, uid, gid_t.max) }
        try sys("ioctl(TIOCSCTTY)") { swrun_set_controlling_terminal(number) }
        for standard in CInt(0)..<3 { try sys("dup2") { dup2(number, standard) } }
    }
}

/// Hands the master to whoever listens on the console socket, with its name as runc sends it.
func sendTerminal(_ master: borrowing OwnedFD, to socket: borrowing OwnedFD) throws(SysError) {
    let target = socket.raw
    var descriptor = master.raw
    let name = Array("/dev/ptmx".utf8)
    try sys("sendmsg", "console socket") {
        name.withUnsafeBytes { swrun_send_fds(target, $0.baseAddress, $0.count, &descriptor, 1) }
    }
}

private func openMaster(root: borrowing OwnedFD) throws(SysError) -> OwnedFD {
    let master = try openInRootWithoutLinks(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY)
    guard try fileSystemType(master) == 0x1cd1 else {  // DEVPTS_SUPER_MAGIC
        throw SysError("open", "/dev/pts/ptmx", .invalidArgument, hint: "not on a devpts file system")
    }
    return master
}

private func openPeer(_ master: CInt) throws(SysError) -> OwnedFD {
    try sys("ioctl(TIOCSPTLCK)") {
        var unlock: CInt = 0
        return swrun_ioctl_ptr(master, unlockRequest, &unlock)
    }
    return OwnedFD(owning: try sys("ioctl(TIOCGPTPEER)") { swrun_pty_peer(master) })
}

/// TIOCSPTLCK
private let unlockRequest: UInt = 0x4004_5431
