// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import GoTemplate
import LinuxSystem

/// The program: finds the command that the words name, reads its flags, runs it, and turns failures into text and an
/// exit code.
package enum CLI {
    /// Runs `arguments` (without the program's name) and returns the exit code.
    package static func main(_ arguments: [String]) -> Int32 {
        let output = Output()
        do {
            try run(arguments, output)
            return 0
        } catch let failure as CommandFailure {
            if !failure.message.isEmpty { output.errorLine(failure.message) }
            return failure.exitCode
        } catch {
            output.errorLine(text(of: error))
            return 1
        }
    }

    /// The sentence for the user.
    package static func text(of error: any Error) -> String {
        switch error {
        case let error as ClientError: error.message
        case let error as FlagError: error.message
        case let error as TemplateError: "template parsing error: " + error.message
        case let error as SysError: error.description
        case let error as CommandFailure: error.message
        case let error as ProgressFailure: error.message
        case let error as ImageName.Malformed: error.reason
        case let error as RunRefusal: error.reason
        default: "\(error)"
        }
    }

    private static func run(_ arguments: [String], _ output: Output) throws {
        let globals: FlagValues
        do throws(FlagError) {
            globals = try FlagSet(GlobalFlags.all, stopsAtFirstArgument: true).parse(arguments)
        } catch {
            throw UsageText.failure(error.message, usage: "swrun [OPTIONS] COMMAND [ARG...]", name: "", code: 125)
        }
        if globals.bool("version") { return output.line(versionLine) }
        let level = globals.string("log-level")
        guard ["trace", "debug", "info", "warn", "warning", "error", "fatal", "panic"].contains(level) else {
            throw CommandFailure("Unable to parse logging level: " + level)
        }
        let words = globals.arguments
        if globals.bool("help") || words.isEmpty { return output.write(CommandTree.rootHelp(UsageText.width)) }
        if words[0] == "help" { return try help(Array(words.dropFirst()), output) }
        try dispatch(words, globals, output)
    }

    static var versionLine: String { "swrun version " + Version.number + ", build " + Version.commit }

    private static func dispatch(_ words: [String], _ globals: FlagValues, _ output: Output) throws {
        switch CommandTree.find(words) {
        case .command(let command, let name, let rest):
            try run(command, calledAs: name, rest, globals, output)
        case .group(let group, let rest):
            try runGroup(group, rest, output)
        case .unknown:
            throw CommandFailure(
                "swrun: unknown command: swrun \(words[0])\n\nRun 'swrun --help' for more information"
                    + CommandTree.suggestion(for: words[0]))
        }
    }

    private static func runGroup(_ group: CommandGroup, _ rest: [String], _ output: Output) throws {
        guard let word = rest.first else {
            return output.error(Array(CommandTree.help(group, UsageText.width).utf8))
        }
        if word == "--help" || word == "-h" || word == "help" {
            return output.write(CommandTree.help(group, UsageText.width))
        }
        let name = group.name
        if word.hasPrefix("-") {
            let flag =
                word.hasPrefix("--")
                ? "unknown flag: " + word : "unknown shorthand flag: '\(word.dropFirst().prefix(1))' in \(word)"
            throw UsageText.failure(flag, usage: "swrun " + name, name: name, code: 125)
        }
        throw UsageText.failure(
            "swrun: unknown command: swrun \(name) \(word)", usage: "swrun " + name, name: name, code: 1)
    }

    private static func run(
        _ command: Command, calledAs name: String, _ arguments: [String], _ globals: FlagValues, _ output: Output
    ) throws {
        let usage = command.usageLine(calledAs: name)
        let asksForHelp = arguments.contains("--help")
        let arguments = command.takesAnyFlag && !asksForHelp ? ["--"] + arguments : arguments
        let flags: FlagValues
        do throws(FlagError) { flags = try command.flagSet.parse(arguments) } catch {
            throw UsageText.failure(error.message, usage: usage, name: name, code: 125)
        }
        for warning in flags.warnings { output.errorLine(warning) }
        if flags.bool("help-shorthand") { output.errorLine("Flag shorthand -h has been deprecated, use --help") }
        if flags.bool("help") || flags.bool("help-shorthand") {
            return output.write(command.help(calledAs: name).render(width: UsageText.width))
        }
        if let reason = command.refusal(ofArguments: flags.arguments.count) {
            var seeHelp = "Run"
            if case .atLeast = command.arity { seeHelp = "See" }
            throw UsageText.failure(
                "swrun: 'swrun \(name)' \(reason)", usage: usage, name: name, code: 1, verb: seeHelp)
        }
        let session = try Session(globals: globals, needsDaemon: !command.path.hasPrefix("context "))
        try command.run(Invocation(command: command, name: name, flags: flags, session: session))
    }

    private static func help(_ words: [String], _ output: Output) throws {
        if words.isEmpty { return output.write(CommandTree.rootHelp(UsageText.width)) }
        switch CommandTree.find(words) {
        case .command(let command, let name, _):
            output.write(command.help(calledAs: name).render(width: UsageText.width))
        case .group(let group, _): output.write(CommandTree.help(group, UsageText.width))
        case .unknown: throw CommandFailure("unknown help topic: " + words.joined(separator: " "))
        }
    }
}
