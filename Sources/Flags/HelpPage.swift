// SPDX-License-Identifier: Apache-2.0

/// A help text in docker's layout: usage, description, aliases, options, commands, closing lines.
package struct HelpPage: Sendable {
    /// A titled table of `name  what it does` lines.
    package struct Section: Sendable {
        package var title: String
        package var rows: [(name: String, text: String)]

        package init(title: String, rows: [(name: String, text: String)]) {
            self.title = title
            self.rows = rows
        }
    }

    /// What follows `Usage:  `.
    package var usage: String
    package var description: String
    package var aliases: [String] = []
    package var optionsTitle = "Options"
    package var options: [Flag] = []
    package var sections: [Section] = []
    /// Whether the sections come before the options, as on docker's first page.
    package var sectionsFirst = false
    package var closing: [String] = []

    package init(usage: String, description: String) {
        self.usage = usage
        self.description = description
    }

    /// The page for a terminal `width` columns wide; 0 means never wrap.
    package func render(width: Int = 80) -> String {
        var out = "Usage:  " + usage + "\n"
        if !description.isEmpty { out += "\n" + description + "\n" }
        if !aliases.isEmpty { out += "\nAliases:\n  " + joined(aliases) + "\n" }
        if sectionsFirst { out += renderedSections() }
        let table = HelpPage.optionTable(options, width: width)
        if !table.isEmpty { out += "\n" + optionsTitle + ":\n" + table }
        if !sectionsFirst { out += renderedSections() }
        for line in closing { out += "\n" + line + "\n" }
        return out
    }

    private func renderedSections() -> String {
        // One column width over all sections, so that they line up.
        var widest = 0
        for section in sections { for row in section.rows { widest = max(widest, row.name.utf8.count) } }
        widest = max(widest, 11)
        var out = ""
        for section in sections where !section.rows.isEmpty {
            out += "\n" + section.title + ":\n"
            for row in section.rows {
                out += "  " + row.name + spaces(widest + 1 - row.name.utf8.count) + row.text + "\n"
            }
        }
        return out
    }

    private func joined(_ names: [String]) -> String {
        var out = ""
        for (index, name) in names.enumerated() { out += (index == 0 ? "" : ", ") + name }
        return out
    }

    /// The aligned `-s, --long type   help` lines, sorted by name, each help text wrapped into its column.
    package static func optionTable(_ flags: [Flag], width: Int) -> String {
        let shown = flags.filter { !$0.isHidden }.sorted { $0.long < $1.long }
        let heads = shown.map(head)
        var widest = 0
        for head in heads { widest = max(widest, head.utf8.count) }
        let column = widest + 3
        var out = ""
        for (flag, head) in zip(shown, heads) {
            var help = flag.help
            if let note = flag.defaultNote { help += " (default " + note + ")" }
            out +=
                head + spaces(column - head.utf8.count) + wrapped(help, indent: column, width: max(0, width - 1)) + "\n"
        }
        return out
    }

    private static func head(_ flag: Flag) -> String {
        let names = flag.short.isEmpty ? "      --" + flag.long : "  -" + flag.short + ", --" + flag.long
        return flag.valueName.isEmpty ? names : names + " " + flag.valueName
    }
}

func spaces(_ count: Int) -> String {
    String(repeating: " ", count: max(0, count))
}
