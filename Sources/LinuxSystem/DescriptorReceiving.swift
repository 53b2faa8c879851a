// SPDX-License-Identifier: Apache-2.0
package import CLinux

/// Receives one message and the first descriptor that came with it (SCM_RIGHTS); nil if none did.
package func receiveDescriptor(_ socket: borrowing OwnedFD) throws(SysError) -> OwnedFD? {
    let number = socket.raw
    var text = [UInt8](repeating: 0, count: 4096)
    var received: CInt = -1
    var count: CInt = 1
    try sys("recvmsg") {
        count = 1
        return text.withUnsafeMutableBytes { swrun_recv_fds(number, $0.baseAddress, $0.count, &received, &count) }
    }
    return count == 1 ? OwnedFD(owning: received) : nil
}

/// The user at the other end of a connected unix socket (SO_PEERCRED).
package func peerUser(_ socket: borrowing OwnedFD) throws(SysError) -> uid_t { try peer(socket).user }

/// The process at the other end of a connected unix socket: the one that listens (SO_PEERCRED).
package func peerProcess(_ socket: borrowing OwnedFD) throws(SysError) -> pid_t { try peer(socket).pid }

private func peer(_ socket: borrowing OwnedFD) throws(SysError) -> (pid: pid_t, user: uid_t) {
    let number = socket.raw
    var pid: pid_t = 0
    var user: uid_t = 0
    var group: gid_t = 0
    try sys("getsockopt(SO_PEERCRED)") { swrun_peer_credentials(number, &pid, &user, &group) }
    return (pid, user)
}
