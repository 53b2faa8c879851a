// SPDX-License-Identifier: Apache-2.0
import Flags
import LinuxSystem

extension RuntimeCommandLine {
    /// What `--version` prints: callers look for the word "version" and for the lines "commit:" and "spec:".
    static func printVersion() -> Int32 {
        writeLine(1, "swrunc version " + Version.number)
        writeLine(1, "commit: " + Version.commit)
        writeLine(1, "spec: " + Version.runtimeSpec)
        return 0
    }

    static var helpText: String {
        var text = "swrunc - OCI container runtime\n\nUsage: swrunc [global options] command [options] [arguments]\n\n"
        text += "Commands:\n"
        for name in commandNames {
            guard let command = command(name) else { continue }
            text += "   " + command.name + String(repeating: " ", count: 10 - command.name.utf8.count)
            text += command.help + "\n"
        }
        return text + "\nGlobal options: --root DIR, --log FILE, --log-format text|json, --debug, --version\n"
    }

    static func help(of command: Command) -> String {
        var text = "Usage: swrunc " + command.name + " [options] " + command.usage + "\n\n" + command.help + "\n"
        for flag in command.flags {
            let names = "--" + flag.long + (flag.short.isEmpty ? "" : ", -" + flag.short)
            text += "   " + names + String(repeating: " ", count: max(1, 24 - names.utf8.count)) + flag.help + "\n"
        }
        return text
    }
}
