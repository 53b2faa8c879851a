// SPDX-License-Identifier: Apache-2.0
import Flags
import Testing

@testable import Commands

@Suite("Command tree")
struct CommandTreeTests {
    @Test("every name leads to one command, and every command has a place in the help")
    func names() {
        let names = CommandTree.commands.flatMap { [$0.path] + $0.aliases }
        #expect(Set(names).count == names.count)
        for name in names where name.contains(" ") {
            #expect(CommandTree.groups.contains { name.hasPrefix($0.name + " ") }, "\(name)")
        }
    }

    @Test("no command has two flags of one name")
    func flags() {
        for command in CommandTree.commands {
            let flags = command.flagSet.flags
            #expect(Set(flags.map(\.long)).count == flags.count, "\(command.path)")
            let short = flags.map(\.short).filter { !$0.isEmpty }
            #expect(Set(short).count == short.count, "\(command.path)")
        }
    }

    @Test(
        "aliases and full names are the same command",
        arguments: [
            ("ps", "container ls"), ("run", "container run"), ("images", "image ls"), ("rmi", "image rm"),
            ("info", "system info"),
        ])
    func aliases(_ alias: String, _ path: String) {
        guard case .command(let command, let name, let rest) = CommandTree.find([alias, "x"]) else {
            Issue.record("\(alias) is unknown")
            return
        }
        #expect(command.path == path && name == alias && rest == ["x"])
    }

    @Test("the help explains every flag in one phrase")
    func prose() {
        for command in CommandTree.commands {
            var texts = [(command.path, command.summary)]
            texts += command.flags().filter { !$0.isHidden }.map { (command.path + " --" + $0.long, $0.help) }
            for (place, text) in texts {
                #expect(!text.isEmpty && !text.hasSuffix(".") && text.utf8.count <= 260, "\(place)")
                #expect(text.first?.isLowercase != true, "\(place): \(text)")
            }
            #expect(command.summary.utf8.count <= 66, "\(command.path): longer than a line of 80 columns")
        }
    }
}
