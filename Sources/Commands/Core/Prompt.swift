// SPDX-License-Identifier: Apache-2.0
import Flags
import LinuxSystem

/// Questions to the person at the terminal.
enum Prompt {
    /// Asks on the terminal unless `--force` was given; anything but `y` means no.
    static func confirm(_ call: Invocation, _ warning: String) throws -> Bool {
        if call.flags.bool("force") { return true }
        call.output.write(warning + "\nAre you sure you want to continue? [y/N] ")
        let answer = readLine()
        return answer == "y" || answer == "Y"
    }

    /// A line that the terminal does not show.
    static func readSecret() throws -> String {
        let before = try TerminalMode.disableEcho(0)
        defer { TerminalMode.restore(0, before) }
        return readLine()
    }

    /// A line of standard input, without white space around it.
    static func readLine() -> String {
        var line: [UInt8] = []
        while let byte = (try? StandardStreams.readInput(upTo: 1))?.first, byte != 10 { line.append(byte) }
        return String(decoding: line, as: UTF8.self).trimmed
    }
}
