// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import LinuxSystem

/// A file system that a volume is while containers use it: a tmpfs, a share of another machine, a disk. Failures have
/// docker's words.
struct LocalMount: Sendable {
    var type: String
    var device: String
    var call: MountCall

    /// It stands for a directory of the host, which need not be mounted for containers.
    var isBind: Bool { call.flags.contains(.bind) && device.hasPrefix("/") }

    var isReadOnly: Bool { call.flags.contains(.readOnly) }

    /// Mounts it, unless something is mounted there.
    func mount(on path: FilePath) throws(EngineError) {
        if MountInfo.mount(of: path.string)?.place == path.string { return }
        let request = try resolved(for: path)
        do throws(SysError) {
            try LinuxSystem.mount(
                request.device, on: path, type: type, flags: call.flags, data: request.call.data.joined(separator: ","))
        } catch {
            throw request.failure(error, at: path)
        }
    }

    /// The directory that it stands for must be there.
    func requireSource(for path: FilePath) throws(EngineError) {
        do throws(SysError) { _ = try status(FilePath(device)) } catch { throw failure(error, at: path) }
    }

    private func failure(_ error: SysError, at path: FilePath) -> EngineError {
        let flags = call.flags.isEmpty ? "" : ", flags: 0x" + String(call.flags.rawValue, radix: 16)
        let data = call.data.isEmpty ? "" : ", data: " + call.data.joined(separator: ",")
        return Self.error(
            path, "failed to mount local volume: mount \(device):\(path.string)\(flags)\(data): \(error.errno.text)")
    }

    private static func error(_ path: FilePath, _ reason: String) -> EngineError {
        .internal("error while mounting volume '\(path.string)': \(reason)")
    }

    // MARK: Names of machines

    /// With addresses in place of names, which the kernel does not look up: `addr=` of NFS and CIFS, or else the machine in
    /// the device of CIFS.
    private func resolved(for path: FilePath) throws(EngineError) -> LocalMount {
        guard type == "nfs" || type == "cifs" else { return self }
        var request = self
        if let index = call.data.firstIndex(where: { $0.hasPrefix("addr=") }) {
            let name = String(call.data[index].dropFirst("addr=".count))
            if !name.isEmpty { request.call.data[index] = "addr=" + (try Self.address(of: name, path)) }
        } else if type == "cifs", device.hasPrefix("//") {
            let name = String(device.dropFirst(2).prefix { $0 != "/" })
            if !name.isEmpty {
                request.device = "//" + (try Self.address(of: name, path)) + device.dropFirst(2 + name.count)
            }
        }
        return request
    }

    /// An address stands for itself. Blocks for as long as the name servers take.
    private static func address(of name: String, _ path: FilePath) throws(EngineError) -> String {
        var hints = addrinfo()
        hints.ai_socktype = 1  // SOCK_STREAM: each address once
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(name, nil, &hints, &list)
        defer { if code == 0 { freeaddrinfo(list) } }
        guard code == 0, let text = numeric(list) else {
            throw error(path, "error resolving passed in network volume address: lookup \(name): no such host")
        }
        return text
    }

    /// The first address of IPv4, or else the first, as text.
    private static func numeric(_ list: UnsafeMutablePointer<addrinfo>?) -> String? {
        var found: UnsafeMutablePointer<addrinfo>? = list
        var next = list
        while let entry = next {
            if entry.pointee.ai_family == AF_INET {
                found = entry
                break
            }
            next = entry.pointee.ai_next
        }
        guard let chosen = found?.pointee else { return nil }
        var text = [CChar](repeating: 0, count: 128)
        let code = getnameinfo(chosen.ai_addr, chosen.ai_addrlen, &text, 128, nil, 0, NI_NUMERICHOST)
        return code == 0 ? String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}
