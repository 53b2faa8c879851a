// SPDX-License-Identifier: Apache-2.0
package import Flags

/// One command of the tree: what its help says, what it accepts, and what it does.
package struct Command: Sendable {
    /// How many arguments a command takes besides its flags.
    package enum Arity: Sendable, Equatable {
        case none
        case exactly(Int)
        case atLeast(Int)
        case atMost(Int)
        case between(Int, Int)
        case any
    }

    /// Words that lead to the command, e.g. `container stop`.
    package var path: String
    /// Other words for it, e.g. `stop`.
    package var aliases: [String]
    /// What follows the path in the usage line.
    package var usage: String
    package var summary: String
    /// What the help says instead of the summary.
    package var details: String
    package var arity: Arity
    /// Flags end at the first argument, because what follows is another program's command line.
    package var stopsAtFirstArgument: Bool
    /// Flags are not looked at at all.
    package var takesAnyFlag: Bool
    /// Other programs call it: help does not tell of it.
    package var isHidden: Bool
    package var flags: @Sendable () -> [Flag]
    package var run: @Sendable (Invocation) throws -> Void

    package init(
        _ path: String, aliases: [String] = [], usage: String, _ summary: String, arity: Arity,
        stopsAtFirstArgument: Bool = false, takesAnyFlag: Bool = false, isHidden: Bool = false,
        details: String? = nil,
        flags: @escaping @Sendable () -> [Flag] = { [] },
        run: @escaping @Sendable (Invocation) throws -> Void
    ) {
        self.path = path
        self.aliases = aliases
        self.usage = usage
        self.summary = summary
        self.details = details ?? summary
        self.arity = arity
        self.stopsAtFirstArgument = stopsAtFirstArgument
        self.takesAnyFlag = takesAnyFlag
        self.isHidden = isHidden
        self.flags = flags
        self.run = run
    }

    /// The flags with `--help`, which every command has.
    package var flagSet: FlagSet {
        var all = flags()
        if !all.contains(where: { $0.long == "help" }) { all.append(Flag.bool("help", "Print this help").hiding()) }
        if !all.contains(where: { $0.short == "h" }) {
            all.append(Flag.bool("help-shorthand", short: "h", "").hiding())
        }
        return FlagSet(all, stopsAtFirstArgument: stopsAtFirstArgument)
    }

    /// The help page, for the words by which the command was called.
    package func help(calledAs name: String) -> HelpPage {
        var page = HelpPage(usage: usageLine(calledAs: name), description: details)
        page.options = flags()
        if !aliases.isEmpty { page.aliases = ([path] + aliases).map { "swrun " + $0 } }
        return page
    }

    package func usageLine(calledAs name: String) -> String {
        "swrun " + name + (usage.isEmpty ? "" : " " + usage)
    }

    /// Why `count` arguments are wrong; nil when they are fine.
    func refusal(ofArguments count: Int) -> String? {
        switch arity {
        case .any: nil
        case .none: count == 0 ? nil : "accepts no arguments"
        case .exactly(let wanted): count == wanted ? nil : "requires " + arguments(wanted)
        case .atLeast(let least): count >= least ? nil : "requires at least " + arguments(least)
        case .atMost(let most): count <= most ? nil : "requires at most " + arguments(most)
        case .between(let least, let most):
            (least...most).contains(count) ? nil : "requires at least \(least) and at most " + arguments(most)
        }
    }

    private func arguments(_ count: Int) -> String { count == 1 ? "1 argument" : "\(count) arguments" }
}

/// A word that only leads to other commands, e.g. `container`.
package struct CommandGroup: Sendable {
    package var name: String
    package var summary: String
    /// Needs a swarm; the help lists such groups apart.
    package var isSwarm: Bool

    package init(_ name: String, _ summary: String, isSwarm: Bool = false) {
        self.name = name
        self.summary = summary
        self.isSwarm = isSwarm
    }
}
