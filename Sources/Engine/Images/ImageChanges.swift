// SPDX-License-Identifier: Apache-2.0
package import DockerAPI
import JSON
import LinuxSystem

/// The Dockerfile instructions of `commit --change` and `import --change`: changes of an image's configuration.
package struct ImageChanges: Sendable {
    private var instructions: [(name: String, text: String)] = []

    private static let known = [
        "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "SHELL", "STOPSIGNAL", "USER",
        "VOLUME", "WORKDIR",
    ]

    /// - Parameter texts: one instruction or several lines each; a backslash at its end continues a line.
    package init(_ texts: [String]) throws(EngineError) {
        var line = ""
        for part in texts.joined(separator: "\n").split(separator: "\n") {
            let part = Self.trimmed(String(part))
            if part.isEmpty || part.hasPrefix("#") { continue }
            line += part.hasSuffix("\\") ? part.dropLast() + " " : part
            if part.hasSuffix("\\") { continue }
            try add(line)
            line = ""
        }
        if !line.isEmpty { try add(line) }
    }

    private mutating func add(_ line: String) throws(EngineError) {
        let name = line.prefix { $0 != " " && $0 != "\t" }
        guard Self.known.contains(name.uppercased()) else {
            throw .invalidArgument("\(name) is not a valid change command")
        }
        let text = Self.trimmed(String(line[name.endIndex...]))
        guard !text.isEmpty else { throw .invalidArgument("\(name.uppercased()) requires at least one argument") }
        instructions.append((name.uppercased(), text))
    }

    /// Applies the instructions in order.
    ///
    /// - Parameter environment: what variables mean that the instructions do not set themselves.
    package func apply(to config: inout ContainerConfig, environment: [String] = []) throws(EngineError) {
        var hasCommand = false
        for (name, text) in instructions {
            let variables = environment + config.env
            let words = InstructionText { name in
                variables.last { Environment.name(of: $0) == name }.map { String($0.dropFirst(name.count + 1)) }
            }
            switch name {
            case "CMD":
                config.command = Self.command(text, config)
                hasCommand = true
            case "ENTRYPOINT":
                config.entrypoint = Self.command(text, config)
                if !hasCommand { config.command = nil }
            case "SHELL": config.set("Shell", .strings(try Self.list(text, "SHELL")))
            case "ENV": config.env = Environment.merge(config.env, try Self.pairs(text, words).map { $0 + "=" + $1 })
            case "LABEL": try Self.addLabels(text, words, to: &config)
            case "EXPOSE": try Self.addPorts(text, words, to: &config)
            case "VOLUME": Self.addVolumes(text, words, to: &config)
            case "USER": config.user = words.expanded(text)
            case "WORKDIR": config.workingDirectory = Self.directory(words.expanded(text), config.workingDirectory)
            case "STOPSIGNAL": try Self.setStopSignal(words.expanded(text), of: &config)
            case "ONBUILD": config.set("OnBuild", .strings((config.json["OnBuild"]?.strings ?? []) + [text]))
            default: config.set("Healthcheck", try HealthcheckText.parse(text))
            }
        }
    }

    // MARK: Instructions

    /// A JSON array, or else a line for the shell.
    static func command(_ text: String, _ config: ContainerConfig) -> [String] {
        if let list = (try? JSONValue(parsing: Array(text.utf8)))?.strings { return list }
        return (config.json["Shell"]?.strings ?? ["/bin/sh", "-c"]) + [text]
    }

    private static func list(_ text: String, _ name: String) throws(EngineError) -> [String] {
        guard let list = (try? JSONValue(parsing: Array(text.utf8)))?.strings, !list.isEmpty else {
            throw .invalidArgument("\(name) requires the arguments to be in JSON form")
        }
        return list
    }

    /// `A=1 B="2 3"`, or the old form `A all the rest`.
    private static func pairs(_ text: String, _ words: InstructionText) throws(EngineError) -> [(String, String)] {
        let all = InstructionText.words(text)
        guard let first = all.first else { return [] }
        guard first.contains("=") else {
            let value = trimmed(String(text.dropFirst(first.count)))
            guard !value.isEmpty else { throw .invalidArgument("ENV and LABEL must have two arguments") }
            return [(words.expanded(first), words.expanded(value))]
        }
        var pairs: [(String, String)] = []
        for word in all {
            guard let equals = word.firstIndex(of: "="), equals > word.startIndex else {
                throw .invalidArgument("Syntax error - can't find = in \"\(word)\". Must be of the form: name=value")
            }
            pairs.append(
                (words.expanded(String(word[..<equals])), words.expanded(String(word[equals...].dropFirst()))))
        }
        return pairs
    }

    private static func addLabels(
        _ text: String, _ words: InstructionText, to config: inout ContainerConfig
    ) throws(EngineError) {
        for (key, value) in try pairs(text, words) {
            config.labels = config.labels.filter { $0.key != key } + [(key, value)]
        }
    }

    private static func addPorts(
        _ text: String, _ words: InstructionText, to config: inout ContainerConfig
    ) throws(EngineError) {
        var ports = Set(config.exposedPorts)
        for word in InstructionText.words(text) { ports.formUnion(try expanded(port: words.expanded(word))) }
        config.set("ExposedPorts", .sorted(ports.map { ($0, .object([])) }))
    }

    /// `80` to `80/tcp`, `8000-8002/udp` to three of them.
    private static func expanded(port text: String) throws(EngineError) -> [String] {
        let parts = text.split(separator: "/", maxSplits: 1)
        let transport = parts.count == 2 ? parts[1].lowercased() : "tcp"
        let bounds = (parts.first ?? "").split(separator: "-", maxSplits: 1).map { UInt16($0) }
        guard ["tcp", "udp", "sctp"].contains(transport), let first = bounds.first ?? nil,
            let last = bounds.last ?? nil, first <= last
        else { throw .invalidArgument("Invalid containerPort: \(text)") }
        return (first...last).map { "\($0)/\(transport)" }
    }

    private static func addVolumes(_ text: String, _ words: InstructionText, to config: inout ContainerConfig) {
        let list = (try? JSONValue(parsing: Array(text.utf8)))?.strings
        let paths = list ?? InstructionText.words(text).map { words.expanded($0) }
        config.set("Volumes", .sorted(Set(config.volumes + paths).map { ($0, .object([])) }))
    }

    /// A relative directory is below the one before.
    private static func directory(_ path: String, _ current: String) -> String {
        let whole = path.hasPrefix("/") ? path : (current.isEmpty ? "/" : current) + "/" + path
        return FilePath(whole).normalized.string
    }

    private static func setStopSignal(_ text: String, of config: inout ContainerConfig) throws(EngineError) {
        _ = try SignalName.parse(text)
        config.set("StopSignal", .string(text))
    }

    static func trimmed(_ text: String) -> String {
        let isSpace = { (character: Character) in character.isWhitespace }
        let start = text.drop(while: isSpace)
        return String(start.reversed().drop(while: isSpace).reversed())
    }
}
