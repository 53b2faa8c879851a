// SPDX-License-Identifier: Apache-2.0
import Flags
import LinuxSystem

/// Questions to the person at the terminal.
enum Prompt {
    /// Asks on the terminal unless `--force` was given; anything but `y` means no. SIGINT and SIGTERM end the program
    /// as a no does, with success.
    static func confirm(_ call: Invocation, _ warning: String) throws -> Bool {
        if call.flags.bool("force") { return true }
        call.output.write(warning + "\nAre you sure you want to continue? [y/N] ")
        let before = SignalMask.current
        defer { before.restore() }
        let signals = try SignalDescriptor(only: [2, 15])
        var line: [UInt8] = []
        while true {
            let ready = try waitReadable([0, signals.raw])
            if ready.contains(1), signals.next() != nil {
                call.output.line("")
                throw CommandFailure.exit(0)
            }
            guard ready.contains(0) else { continue }
            guard let byte = (try? StandardStreams.readInput(upTo: 1))?.first, byte != 10 else { break }
            line.append(byte)
        }
        let answer = String(decoding: line, as: UTF8.self).trimmed
        return answer == "y" || answer == "Y"
    }

    /// A line that the terminal does not show, without white space around it. Control-C ends the program, as docker's
    /// does, with 130, once the terminal is as it was.
    ///
    /// - Parameter prompt: is printed when nothing that is typed shows any more.
    static func readSecret(_ prompt: String, _ output: Output) throws -> String {
        let before = try TerminalMode.disableEcho(0)
        defer {
            TerminalMode.restore(0, before)
            output.line("")
        }
        output.write(prompt)
        var secret = SecretLine()
        while let key = (try? StandardStreams.readInput(upTo: 1))?.first, try secret.take(key) {}
        return String(decoding: secret.bytes, as: UTF8.self).trimmed
    }

    /// A line of standard input, without white space around it.
    static func readLine() -> String {
        var line: [UInt8] = []
        while let byte = (try? StandardStreams.readInput(upTo: 1))?.first, byte != 10 { line.append(byte) }
        return String(decoding: line, as: UTF8.self).trimmed
    }
}

/// A line that is typed at a terminal which edits nothing by itself.
struct SecretLine {
    private(set) var bytes: [UInt8] = []

    /// - Returns: false if the line is complete.
    /// - Throws: a `CommandFailure` for Control-C and the quit key.
    mutating func take(_ key: UInt8) throws -> Bool {
        switch key {
        case 3, 28: throw CommandFailure.exit(130)
        case 10, 13: return false
        case 4 where bytes.isEmpty: return false  // Control-D
        case 8, 127: eraseCharacter()
        case 21: bytes = []
        default: bytes.append(key)
        }
        return true
    }

    /// A character may be of several bytes.
    private mutating func eraseCharacter() {
        while let last = bytes.popLast(), last & 0xc0 == 0x80 {}
    }
}
