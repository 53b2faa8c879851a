// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem

/// One datagram of at most `limit` bytes and its sender; nil if there is none now.
func receiveDatagram(_ fd: borrowing OwnedFD, upTo limit: Int) -> ([UInt8], SocketAddress)? {
    var buffer = [UInt8](repeating: 0, count: limit)
    var sender = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let number = fd.raw
    let count = buffer.withUnsafeMutableBytes { bytes in
        withUnsafeMutablePointer(to: &sender) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(number, bytes.baseAddress, bytes.count, 0, __SOCKADDR_ARG(__sockaddr__: $0), &length)
            }
        }
    }
    guard count >= 0 else { return nil }
    let address = withUnsafeBytes(of: &sender) { Array($0.prefix(Int(length))) }
    return (Array(buffer.prefix(count)), SocketAddress(bytes: address, family: Int32(sender.ss_family)))
}

/// Sends one datagram; one that cannot be sent is lost, as datagrams are.
func sendDatagram(_ fd: borrowing OwnedFD, _ message: some Collection<UInt8>, to receiver: SocketAddress) {
    let number = fd.raw
    _ = Array(message).withUnsafeBytes { bytes in
        receiver.withPointer {
            sendto(number, bytes.baseAddress, bytes.count, 0, __CONST_SOCKADDR_ARG(__sockaddr__: $0), $1)
        }
    }
}
