// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Flags

@Suite("Help pages")
struct HelpPageTests {
    @Test("sections, columns and defaults are laid out as docker does")
    func layout() {
        var page = HelpPage(usage: "swrun thing [OPTIONS]", description: "Do a thing")
        page.aliases = ["swrun a thing", "swrun thing"]
        page.options = [
            .string("pull", default: "missing", "Pull image before running (\"always\", \"missing\", \"never\")"),
            .bool("all", short: "a", "Everything"), .list("env", short: "e", "Set environment variables"),
            .bool("secret", "Not shown").hiding(), .int("last", default: -1, "Count"),
        ]
        #expect(
            page.render(width: 60) == """
                Usage:  swrun thing [OPTIONS]

                Do a thing

                Aliases:
                  swrun a thing, swrun thing

                Options:
                  -a, --all           Everything
                  -e, --env list      Set environment variables
                      --last int      Count (default -1)
                      --pull string   Pull image before running
                                      ("always", "missing", "never")
                                      (default "missing")

                """)
    }

    @Test("without a width nothing is wrapped")
    func unlimited() {
        let help = String(repeating: "word ", count: 40)
        #expect(HelpPage.optionTable([.bool("x", help)], width: 0) == "      --x   " + help + "\n")
    }

    @Test("commands are listed in one column")
    func commands() {
        var page = HelpPage(usage: "swrun x COMMAND", description: "Manage x")
        page.sections = [.init(title: "Commands", rows: [("ls", "List"), ("inspect", "Show")])]
        page.closing = ["Run 'swrun x COMMAND --help' for more information on a command."]
        #expect(
            page.render() == """
                Usage:  swrun x COMMAND

                Manage x

                Commands:
                  ls          List
                  inspect     Show

                Run 'swrun x COMMAND --help' for more information on a command.

                """)
    }
}
