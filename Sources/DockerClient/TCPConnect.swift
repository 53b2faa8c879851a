// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxSystem

/// Connects to the first address of `host` that answers; nil when none does.
func connectTCP(host: String, port: UInt16) -> OwnedFD? {
    var hints = addrinfo()
    hints.ai_socktype = SOCK_STREAM_TYPE
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &list) == 0 else { return nil }
    defer { freeaddrinfo(list) }
    var next = list
    while let entry = next?.pointee {
        next = entry.ai_next
        let number = socket(entry.ai_family, entry.ai_socktype | SOCK_CLOEXEC_FLAG, entry.ai_protocol)
        guard number >= 0 else { continue }
        let fd = OwnedFD(owning: number)
        var address = __CONST_SOCKADDR_ARG()
        address.__sockaddr__ = UnsafePointer(entry.ai_addr)
        if connect(number, address, entry.ai_addrlen) == 0 { return fd }
    }
    return nil
}
