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

    /// SECCOMP_FILTER_FLAG_NEW_LISTENER
    package static let newListener: UInt32 = 8

    package var hasListener: Bool { flags & SeccompFilter.newListener != 0 }

    /// `onListening` gets the listener's descriptor as the very next thing: any other call may already wait for it.
    package func load(onListening: (CInt) throws(SysError) -> Void) throws(SysError) {
        guard !program.isEmpty, program.count % 8 == 0, program.count / 8 <= 4096 else {
            throw SysError("seccomp", "filter of \(program.count) bytes", .invalidArgument)
        }
        let number = try Privileges.loadFilter(program, flags: flags)
        if hasListener { try onListening(number) }
    }
}
