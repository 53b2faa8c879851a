// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// A setting of one interface that the driver option `com.docker.network.endpoint.sysctls` names:
/// `net.ipv4.conf.IFNAME.forwarding=1`, several with commas between.
struct InterfaceSysctl: Sendable, Equatable {
    /// Below /proc/sys, with the interface's name left out between the two.
    private var directory: String
    private var name: String
    var value: String

    static func list(
        _ options: [String: String], on network: NetworkRecord
    ) throws(NetworkError) -> [InterfaceSysctl] {
        guard let text = options["com.docker.network.endpoint.sysctls"] else { return [] }
        var reasons: [String] = []
        let found = text.split(separator: ",", omittingEmptySubsequences: false).compactMap { part in
            let sysctl = InterfaceSysctl(part)
            if sysctl == nil {
                reasons.append(
                    "unrecognised network interface sysctl '\(part)'; represent 'net.X.Y.ethN.Z=V' as "
                        + "'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'")
            }
            return sysctl
        }
        if !reasons.isEmpty { throw NetworkError(invalidEndpointOn: network, reasons) }
        return found
    }

    /// nil for what is no setting of an interface. docker's client makes the place's name lower-case.
    private init?(_ text: Substring) {
        guard let equals = text.firstIndex(of: "=") else { return nil }
        let parts = text[..<equals].split(separator: ".", omittingEmptySubsequences: false).map { String($0) }
        guard parts.count == 5, parts[0] == "net", ["ipv4", "ipv6", "mpls"].contains(parts[1]),
            ["IFNAME", "ifname"].contains(parts[3]),
            [parts[2], parts[4]].allSatisfy({ part in
                !part.isEmpty && part.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "_") }
            })
        else { return nil }
        directory = "/proc/sys/net/\(parts[1])/\(parts[2])"
        name = parts[4]
        value = String(text[text.index(after: equals)...])
    }

    func path(_ interface: String) -> FilePath { FilePath("\(directory)/\(interface)/\(name)") }
}
