// SPDX-License-Identifier: Apache-2.0

/// Signals as docker's clients name them.
package enum SignalName {
    /// By number (x86 and arm); the index is the signal.
    private static let names = [
        "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ]

    /// `9`, `KILL`, `sigkill`, `RTMIN+3`.
    package static func parse(_ text: String) throws(EngineError) -> UInt32 {
        if let number = Int64(text) {
            if number == 0 { throw invalid(text) }
            guard (1...64).contains(number) else {
                throw .invalidArgument("the linux daemon does not support signal \(text)")
            }
            return UInt32(number)
        }
        var name = text.uppercased()
        if name.hasPrefix("SIG") { name = String(name.dropFirst(3)) }
        if let index = names.firstIndex(of: name), index > 0 { return UInt32(index) }
        let aliases = ["IOT": 6, "CLD": 17, "POLL": 29]
        if let alias = aliases[name] { return UInt32(alias) }
        if let realtime = realtime(name) { return realtime }
        throw invalid(text)
    }

    /// What a container may be made with, as docker has it: any number but 0, whether there is such a signal or not.
    static func check(_ text: String) throws(EngineError) {
        if let number = Int64(text), number != 0 { return }
        _ = try parse(text)
    }

    private static func realtime(_ name: String) -> UInt32? {
        if name == "RTMIN" { return 34 }
        if name == "RTMAX" { return 64 }
        if name.hasPrefix("RTMIN+"), let offset = UInt32(name.dropFirst(6)), offset <= 15 { return 34 + offset }
        if name.hasPrefix("RTMAX-"), let offset = UInt32(name.dropFirst(6)), offset <= 14 { return 64 - offset }
        return nil
    }

    private static func invalid(_ text: String) -> EngineError { .invalidArgument("invalid signal: \(text)") }
}
