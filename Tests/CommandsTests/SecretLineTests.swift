// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Commands

@Suite("A password that is typed")
struct SecretLineTests {
    private func typed(_ keys: String) throws -> String {
        var line = SecretLine()
        for key in keys.utf8 { if try !line.take(key) { return String(decoding: line.bytes, as: UTF8.self) } }
        return "unfinished"
    }

    @Test(
        "ends with Return, and can be corrected by characters or as a whole",
        arguments: [
            ("secret\r", "secret"), ("secret\nmore", "secret"), ("\u{4}", ""), ("a\u{4}b\r", "a\u{4}b"),
            ("sex\u{7f}cret\r", "secret"), ("\u{7f}\u{8}a\r", "a"), ("aß\u{7f}b\r", "ab"), ("x\u{15}y\r", "y"),
            ("abc", "unfinished"),
        ])
    func lines(_ keys: String, _ expected: String) throws { #expect(try typed(keys) == expected) }

    @Test("Control-C ends the program", arguments: ["\u{3}", "sec\u{3}", "\u{1c}"])
    func interrupted(_ keys: String) { #expect(throws: CommandFailure.exit(130)) { try typed(keys) } }
}
