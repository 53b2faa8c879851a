// SPDX-License-Identifier: Apache-2.0

/// What is printed when a command line is wrong.
enum UsageText {
    /// Columns that help may use: those of the terminal on stdin, as docker measures it.
    static var width: Int { Output().columns(0) ?? 80 }

    static func failure(
        _ message: String, usage: String, name: String, code: Int32, verb: String = "Run"
    ) -> CommandFailure {
        let command = name.isEmpty ? "swrun" : "swrun " + name
        return CommandFailure(
            message + "\n\nUsage:  " + usage + "\n\n" + verb + " '" + command + " --help' for more information",
            exitCode: code)
    }
}
