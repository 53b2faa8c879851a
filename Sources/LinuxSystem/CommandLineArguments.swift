// SPDX-License-Identifier: Apache-2.0

/// The program's own arguments. Embedded Swift has no `CommandLine`, so they come from procfs (proc(5), cmdline).
package enum CommandLineArguments {
    package static func current() throws(SysError) -> [String] {
        let bytes = try readFile(FilePath("/proc/self/cmdline"), limit: 8 << 20)
        var arguments: [String] = []
        var start = 0
        for (index, byte) in bytes.enumerated() where byte == 0 {
            arguments.append(String(decoding: bytes[start..<index], as: UTF8.self))
            start = index + 1
        }
        return arguments
    }
}
