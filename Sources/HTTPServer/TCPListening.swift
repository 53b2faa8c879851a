// SPDX-License-Identifier: Apache-2.0
import Glibc
package import LinuxSystem

/// Listening sockets on TCP.
package enum TCPListening {
    /// `127.0.0.1:2376`, `[::1]:2376`, `host`, `:2376`, as host, which may be empty, and port; nil for anything else.
    package static func address(_ text: String, port: UInt16) -> (host: String, port: UInt16)? {
        var name = text[...]
        var number = port
        if name.hasSuffix("/") { name = name.dropLast() }
        let end = name.lastIndex(of: "]") ?? name.startIndex
        if let colon = name[end...].lastIndex(of: ":") {
            guard let given = UInt16(name[name.index(after: colon)...]) else { return nil }
            number = given
            name = name[..<colon]
        }
        if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
        guard !name.contains("/"), !name.contains("[") else { return nil }
        return (String(name), number)
    }

    /// Whether only this machine's programs can reach `host`, as far as its name tells.
    package static func isLocal(_ host: String) -> Bool {
        host == "localhost" || host.hasPrefix("127.") || host == "::1"
    }

    /// One socket for each address of `host`; without a name, for all of the machine.
    package static func open(host: String, port: UInt16) throws -> [CInt] {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host.isEmpty ? nil : host, String(port), &hints, &list)
        guard code == 0 else {
            throw ServiceError(
                .unavailable, "cannot listen on tcp://\(host):\(port): \(String(cString: gai_strerror(code)))")
        }
        defer { freeaddrinfo(list) }
        var descriptors: [CInt] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ai_next
            do throws(SysError) { descriptors.append(try listen(entry, "\(host):\(port)")) } catch {
                // A machine without IPv6 still has a name for its loopback address.
                let isAbsent = [EADDRNOTAVAIL, EAFNOSUPPORT].contains(error.errno.rawValue)
                if isAbsent, next != nil || !descriptors.isEmpty { continue }
                for descriptor in descriptors { close(descriptor) }
                throw error
            }
        }
        return descriptors
    }

    /// Keeps a descriptor that we were started with from the programs that we start.
    package static func setCloseOnExec(_ descriptor: CInt) throws(SysError) {
        try sys("fcntl(F_SETFD)") { fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    }

    private static func listen(_ entry: addrinfo, _ name: String) throws(SysError) -> CInt {
        let kind = entry.ai_socktype | CInt(SOCK_CLOEXEC.rawValue)
        let socket = OwnedFD(
            owning: try sys("socket", name) { Glibc.socket(entry.ai_family, kind, entry.ai_protocol) })
        let number = socket.raw
        var on: CInt = 1
        let size = socklen_t(MemoryLayout<CInt>.size)
        try sys("setsockopt", name) { setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, size) }
        if entry.ai_family == AF_INET6 {
            try sys("setsockopt", name) { setsockopt(number, CInt(IPPROTO_IPV6), IPV6_V6ONLY, &on, size) }
        }
        var address = __CONST_SOCKADDR_ARG()
        address.__sockaddr__ = UnsafePointer(entry.ai_addr)
        let length = entry.ai_addrlen
        try sys("bind", name) { bind(number, address, length) }
        try sys("listen", name) { Glibc.listen(number, 128) }
        return socket.relinquish()
    }
}
