// SPDX-License-Identifier: Apache-2.0
import Flags
import LinuxSystem

/// Questions before something is lost.
enum Prompt {
    /// Asks on the terminal unless `--force` was given; anything but `y` means no.
    static func confirm(_ call: Invocation, _ warning: String) throws -> Bool {
        if call.flags.bool("force") { return true }
        call.output.write(warning + "\nAre you sure you want to continue? [y/N] ")
        let answer = readLine()
        return answer == "y" || answer == "Y"
    }

    private static func readLine() -> String {
        var line: [UInt8] = []
        while let byte = (try? StandardStreams.readInput(upTo: 1))?.first, byte != 10 { line.append(byte) }
        return String(decoding: line, as: UTF8.self).trimmed
    }
}
