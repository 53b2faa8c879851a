// SPDX-License-Identifier: Apache-2.0

/// Signal numbers of Linux and their names without `SIG`.
package enum SignalNames {
    private static let names = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ]

    package static func name(_ number: Int32) -> String {
        (1...31).contains(number) ? names[Int(number) - 1] : "\(number)"
    }

    package static let hangup: Int32 = 1
    package static let interrupt: Int32 = 2
    package static let quit: Int32 = 3
    package static let pipe: Int32 = 13
    package static let terminate: Int32 = 15
    package static let child: Int32 = 17
    package static let `continue`: Int32 = 18
    package static let urgent: Int32 = 23
    package static let windowChange: Int32 = 28
}
