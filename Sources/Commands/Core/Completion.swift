// SPDX-License-Identifier: Apache-2.0
import DockerClient
import Flags
import JSON

/// `swrun completion SHELL`, and the hidden `swrun __complete WORD...` that the scripts call: it prints what may stand in
/// place of the last word, one a line, with a tab before what it is.
enum Completion {
    static let commands: [Command] = [
        script("bash", "Print the completion script for bash", bash),
        script("zsh", "Print the completion script for zsh", zsh),
        script("fish", "Print the completion script for fish", fish),
        Command(
            "__complete", usage: "WORD...", "Print what may stand in place of the last word", arity: .any,
            takesAnyFlag: true, isHidden: true
        ) { call in for line in candidates(call.arguments, call.session) { call.output.line(line) } },
    ]

    private static func script(_ shell: String, _ summary: String, _ text: String) -> Command {
        Command("completion \(shell)", usage: "", summary, arity: .none) { call in call.output.write(text) }
    }

    // MARK: Candidates

    /// Names of the daemon's objects are asked for only where one can stand.
    static func candidates(_ words: [String], _ session: Session) -> [String] {
        let last = words.last ?? ""
        var before = Array(words.dropLast())
        skipGlobals(&before)
        let found: [(name: String, summary: String)]
        if before.isEmpty {
            found = last.hasPrefix("-") ? flags(GlobalFlags.all) : topLevel
        } else {
            found = inside(before, last, session)
        }
        return found.filter { $0.name.hasPrefix(last) }.map {
            $0.summary.isEmpty ? $0.name : $0.name + "\t" + $0.summary
        }
    }

    /// Drops the flags before the command with their values.
    private static func skipGlobals(_ words: inout [String]) {
        while let first = words.first, first.hasPrefix("-") {
            words.removeFirst()
            let flag = GlobalFlags.all.first { "--" + $0.long == first || "-" + $0.short == first }
            if let flag, flag.kind != .bool, !words.isEmpty { words.removeFirst() }
        }
    }

    private static var shown: [Command] { CommandTree.commands.filter { !$0.isHidden } }

    private static var topLevel: [(name: String, summary: String)] {
        let groups = CommandTree.groups.map { ($0.name, $0.summary) }
        let commands = shown.flatMap { command in
            ([command.path] + command.aliases).filter { !$0.contains(" ") }
                .map { ($0, command.summary) }
        }
        return (groups + commands).sorted { $0.0 < $1.0 }
    }

    private static func inside(
        _ words: [String], _ last: String, _ session: Session
    ) -> [(name: String, summary: String)] {
        if case .command(let command, _, let rest) = CommandTree.find(words) {
            if last.hasPrefix("-") { return flags(command.flags()) }
            let given = rest.filter { !$0.hasPrefix("-") }
            return objects(for: command.path, argument: given.count, session).map { ($0, "") }
        }
        guard words.count == 1 else { return [] }
        let prefix = words[0] + " "
        return shown.flatMap { command in
            ([command.path] + command.aliases).filter { $0.hasPrefix(prefix) }
                .map { (String($0.dropFirst(prefix.utf8.count)), command.summary) }
        }.sorted { $0.0 < $1.0 }
    }

    private static func flags(_ flags: [Flag]) -> [(name: String, summary: String)] {
        flags.filter { !$0.isHidden }.map { flag in
            ("--" + flag.long, String(flag.help.split(separator: "\n").first ?? ""))
        } + [("--help", "Print this help")]
    }

    /// The names that a command takes at a place; nothing if the daemon does not answer.
    private static func objects(for path: String, argument: Int, _ session: Session) -> [String] {
        let parts = path.split(separator: " ").map { String($0) }
        let (group, verb) = parts.count == 2 ? (parts[0], parts[1]) : ("", path)
        switch (group, verb) {
        case ("container", "create"), ("container", "run"): return argument == 0 ? images(session) : []
        case ("container", "ls"), ("container", "prune"): return []
        case ("container", "exec"), ("container", "cp"), ("container", "port"), ("container", "top"),
            ("container", "logs"), ("container", "attach"), ("container", "commit"), ("container", "rename"):
            return argument == 0 ? containers(session, all: !["exec", "attach", "top"].contains(verb)) : []
        case ("container", "stop"), ("container", "kill"), ("container", "pause"):
            return containers(session, all: false)
        case ("container", _): return containers(session, all: true)
        case ("image", "history"), ("image", "inspect"), ("image", "push"), ("image", "rm"), ("image", "save"),
            ("image", "tag"):
            return images(session)
        case ("network", "connect"), ("network", "disconnect"):
            return argument == 0 ? names("/networks", nil, session) : containers(session, all: true)
        case ("network", "inspect"), ("network", "rm"): return names("/networks", nil, session)
        case ("volume", "inspect"), ("volume", "rm"): return names("/volumes", "Volumes", session)
        case ("context", "use"), ("context", "rm"), ("context", "inspect"), ("context", "export"),
            ("context", "update"):
            return ((try? ContextStore(session.config).list()) ?? []).map(\.name) + ["default"]
        case ("", "inspect"): return containers(session, all: true) + images(session)
        default: return []
        }
    }

    private static func containers(_ session: Session, all: Bool) -> [String] {
        var query = Query()
        query.add("all", if: all)
        let list = try? session.client.json("GET", "/containers/json", query).array
        return (list ?? []).compactMap { $0["Names"]?.strings?.first.map { String($0.dropFirst()) } }.sorted()
    }

    private static func images(_ session: Session) -> [String] {
        let list = try? session.client.json("GET", "/images/json").array
        return (list ?? []).flatMap { $0["RepoTags"]?.strings ?? [] }.filter { !$0.hasPrefix("<none>") }.sorted()
    }

    private static func names(_ path: String, _ member: String?, _ session: Session) -> [String] {
        guard let answer = try? session.client.json("GET", path) else { return [] }
        let list = member.map { answer[$0] ?? .null } ?? answer
        return (list.array ?? []).compactMap { $0["Name"]?.string }.sorted()
    }

    // MARK: Scripts

    private static let bash = #"""
        # bash completion for swrun: source <(swrun completion bash)
        _swrun() {
            local IFS=$'\n' word=${COMP_WORDS[COMP_CWORD]}
            # readline splits words at colons, image names have them
            if declare -F _get_comp_words_by_ref >/dev/null; then
                local cur words cword prev
                _get_comp_words_by_ref -n : cur prev words cword
                word=$cur
                set -- "${words[@]:1:cword-1}" "$word"
            else
                set -- "${COMP_WORDS[@]:1:COMP_CWORD-1}" "$word"
            fi
            COMPREPLY=($(swrun __complete "$@" 2>/dev/null | cut -f1))
            [[ ${#COMPREPLY[@]} -gt 0 ]] || compopt -o default
            declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$word"
            return 0
        }
        complete -F _swrun swrun

        """#

    private static let zsh = #"""
        #compdef swrun
        # zsh completion for swrun: source <(swrun completion zsh)
        _swrun() {
            local -a found
            local line
            for line in "${(@f)$(swrun __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
                [[ -n $line ]] || continue
                line=${line//:/\\:}
                found+=("${line/$'\t'/:}")
            done
            (( ${#found} )) && _describe swrun found || _files
        }
        (( $+functions[compdef] )) && compdef _swrun swrun

        """#

    private static let fish = #"""
        # fish completion for swrun: swrun completion fish | source
        function __swrun_complete
            set -l words (commandline -opc) (commandline -ct)
            swrun __complete $words[2..-1] 2>/dev/null
        end
        complete -c swrun -a '(__swrun_complete)'

        """#
}
