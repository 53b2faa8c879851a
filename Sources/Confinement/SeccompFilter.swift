// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem

/// A system call filter, ready for the kernel.
package struct SeccompFilter: Sendable, Equatable {
    /// Classic BPF, 8 bytes for each instruction.
    package var program: [UInt8]
    /// SECCOMP_FILTER_FLAG_*
    package var flags: UInt32

    package init(program: [UInt8], flags: UInt32) {
        self.program = program
        self.flags = flags
    }

    package func load() throws(SysError) {
        guard !program.isEmpty, program.count % 8 == 0, program.count / 8 <= 4096 else {
            throw SysError("seccomp", "filter of \(program.count) bytes", .invalidArgument)
        }
        _ = try Privileges.loadFilter(program, flags: flags)
    }
}
