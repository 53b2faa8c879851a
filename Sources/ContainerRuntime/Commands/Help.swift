// SPDX-License-Identifier: Apache-2.0
import Flags
import LinuxSystem

extension RuntimeCommandLine {
    /// What `--version` prints: callers look for the word "version" and for the lines "commit:" and "spec:".
    static func printVersion() -> Int32 {
        writeLine(1, "swrunc version " + Version.number)
        writeLine(1, "commit: " + Version.commit)
        writeLine(1, "spec: " + Version.newestRuntimeSpec)
        return 0
    }

    static var helpText: String {
        var text = "NAME:\n   swrunc - Open Container Initiative runtime\n\n"
        text += "USAGE:\n   swrunc [global options] command [command options] [arguments...]\n\nCOMMANDS:\n"
        for name in commandNames {
            guard let command = command(name) else { continue }
            text += "   " + padded(command.name, 12) + command.help + "\n"
        }
        return text + "\nGLOBAL OPTIONS:\n" + lines(of: globalFlags)
    }

    static func help(of command: Command) -> String {
        var text = "NAME:\n   swrunc " + command.name + " - " + command.help + "\n\n"
        text += "USAGE:\n   swrunc " + command.name + " [command options] " + command.usage + "\n\nOPTIONS:\n"
        return text + lines(of: command.flags)
    }

    private static func lines(of flags: [Flag]) -> String {
        var text = ""
        for flag in flags where !flag.isHidden {
            let value = flag.kind == .bool ? "" : " value"
            let names = "--" + flag.long + value + (flag.short.isEmpty ? "" : ", -" + flag.short + value)
            text += "   " + padded(names, 34) + flag.help + "\n"
        }
        return text
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.utf8.count))
    }
}
