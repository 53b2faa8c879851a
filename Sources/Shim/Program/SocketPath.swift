// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// Where a container's shim listens: `<dirname of the supervisor's address>/s/<hash>`, short enough for every client.
enum SocketPath {
    static func path(_ arguments: ShimArguments) -> FilePath {
        let name = arguments.address + "|" + arguments.namespace + "|" + arguments.id
        return directory(arguments) / (hash(name, 0xcbf2_9ce4_8422_2325) + hash(name, 0x6c62_272e_07bb_0142))
    }

    static func directory(_ arguments: ShimArguments) -> FilePath { FilePath(arguments.address).parent / "s" }

    /// 64 bits of FNV-1a, with a basis of the caller's, as 16 hexadecimal digits.
    private static func hash(_ text: String, _ basis: UInt64) -> String {
        var value = basis
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
