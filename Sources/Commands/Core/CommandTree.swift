// SPDX-License-Identifier: Apache-2.0
import Flags

/// Finds commands by their words and writes the help of groups.
package enum CommandTree {
    package enum Found {
        /// A command, the words that named it, and what follows.
        case command(Command, name: String, rest: [String])
        case group(CommandGroup, rest: [String])
        case unknown
    }

    package static func find(_ words: [String]) -> Found {
        // The longest name wins: `container ls` before a command named `container`.
        for count in [2, 1] where words.count >= count {
            let name = words[..<count].joined(separator: " ")
            if let command = commands.first(where: { $0.path == name || $0.aliases.contains(name) }) {
                return .command(command, name: name, rest: Array(words[count...]))
            }
        }
        guard let first = words.first, let group = groups.first(where: { $0.name == first }) else { return .unknown }
        return .group(group, rest: Array(words.dropFirst()))
    }

    // MARK: Help

    static func help(_ group: CommandGroup, _ width: Int) -> String {
        var page = HelpPage(usage: "swrun " + group.name + " COMMAND", description: group.summary)
        let prefix = group.name + " "
        let members = commands.filter { $0.path.hasPrefix(prefix) && !$0.isHidden }.sorted { $0.path < $1.path }
        page.sections = [
            .init(title: "Commands", rows: members.map { (String($0.path.dropFirst(prefix.utf8.count)), $0.summary) })
        ]
        page.closing = ["Run 'swrun \(group.name) COMMAND --help' for more information on a command."]
        return page.render(width: width)
    }

    static func rootHelp(_ width: Int) -> String {
        var page = HelpPage(
            usage: "swrun [OPTIONS] COMMAND", description: "Containers for Linux, compatible with Docker")
        page.sectionsFirst = true
        page.optionsTitle = "Global Options"
        page.options = GlobalFlags.all
        page.sections = [
            .init(title: "Common Commands", rows: common.compactMap(topLevelRow)),
            .init(title: "Management Commands", rows: groups.filter { !$0.isSwarm }.map { ($0.name, $0.summary) }),
            .init(title: "Swarm Commands", rows: groups.filter(\.isSwarm).map { ($0.name, $0.summary) }),
            .init(title: "Commands", rows: topLevelNames.filter { !common.contains($0) }.compactMap(topLevelRow)),
        ]
        page.closing = ["Run 'swrun COMMAND --help' for more information on a command."]
        return page.render(width: width)
    }

    private static let common = [
        "run", "exec", "ps", "build", "pull", "push", "images", "login", "logout", "search", "version", "info",
    ]

    /// Every name of one word, sorted.
    private static var topLevelNames: [String] {
        var names: [String] = []
        for command in commands where !command.isHidden {
            for name in [command.path] + command.aliases where !name.contains(" ") {
                names.append(name)
            }
        }
        return names.sorted()
    }

    private static func topLevelRow(_ name: String) -> (name: String, text: String)? {
        guard let command = commands.first(where: { $0.path == name || $0.aliases.contains(name) }) else { return nil }
        return (name, command.summary)
    }

    /// A hint for words that people try although docker has no such command.
    static func suggestion(for word: String) -> String {
        switch word {
        case "prune": "\n\nDid you mean 'swrun system prune' or 'swrun image prune'?"
        case "ls", "list": "\n\nDid you mean 'swrun ps' or 'swrun images'?"
        case "delete", "remove": "\n\nDid you mean 'swrun rm' or 'swrun rmi'?"
        default: ""
        }
    }
}
