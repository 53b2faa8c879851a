// SPDX-License-Identifier: Apache-2.0

/// The text behind an instruction of a Dockerfile: words with quotes, backslashes and variables (Dockerfile reference,
/// "Environment replacement").
struct InstructionText {
    /// The value of a variable; nil if it has none.
    var lookup: (String) -> String?

    /// Splits at spaces outside of quotes; quotes and backslashes stay.
    static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var quote: Character?
        var isEscaped = false
        for character in text {
            if isEscaped || character == "\\" && quote != "'" {
                isEscaped.toggle()
            } else if let open = quote {
                if character == open { quote = nil }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == " " || character == "\t" {
                if !word.isEmpty { words.append(word) }
                word = ""
                continue
            }
            word.append(character)
        }
        return word.isEmpty ? words : words + [word]
    }

    /// Takes quotes and backslashes away and puts the values of variables in.
    func expanded(_ word: String) -> String {
        var result = ""
        var rest = word[...]
        var isQuoted = false
        while let character = rest.popFirst() {
            switch character {
            case "'" where !isQuoted:
                let end = rest.firstIndex(of: "'") ?? rest.endIndex
                result += rest[..<end]
                rest = rest[end...].dropFirst()
            case "\"": isQuoted.toggle()
            case "\\":
                guard let next = rest.popFirst() else {
                    result.append(character)
                    continue
                }
                if isQuoted, !["\"", "$", "\\"].contains(next) { result.append(character) }
                result.append(next)
            case "$": result += variable(&rest)
            default: result.append(character)
            }
        }
        return result
    }

    /// `NAME`, `{NAME}`, `{NAME:-default}` or `{NAME:+other}` behind a dollar sign.
    private func variable(_ rest: inout Substring) -> String {
        guard rest.first == "{" else {
            let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" }
            if name.isEmpty { return "$" }
            rest = rest[name.endIndex...]
            return lookup(String(name)) ?? ""
        }
        guard let end = rest.firstIndex(of: "}") else { return "$" }
        let inside = rest[..<end].dropFirst()
        rest = rest[end...].dropFirst()
        guard let colon = inside.firstIndex(of: ":") else { return lookup(String(inside)) ?? "" }
        let value = lookup(String(inside[..<colon])) ?? ""
        let alternative = inside[colon...].dropFirst(2)
        switch inside[colon...].dropFirst().first {
        case "-": return value.isEmpty ? expanded(String(alternative)) : value
        case "+": return value.isEmpty ? "" : expanded(String(alternative))
        default: return value
        }
    }
}
