// SPDX-License-Identifier: Apache-2.0
import JSON
import Testing

@Suite("JSON")
struct JSONTests {
    @Test(
        "what is read is written back unchanged",
        arguments: [
            "null", "true", "[]", "{}", "[1,-2,0]", #"{"b":1,"a":[{"c":null}]}"#, #""a\"b\\c\n\t""#, "1.5", "1e+30",
            "18446744073709551615", #""ünï😀""#,
        ])
    func roundTrip(_ text: String) throws {
        #expect(try JSONValue(parsing: text).serialized() == text)
    }

    @Test(
        "escapes become the characters they stand for",
        arguments: [
            (#""\u0041\u00e9""#, "Aé"), (#""\ud83d\ude00""#, "😀"), (#""\ud83d""#, "\u{FFFD}"),
            (#""\/\b\f""#, "/\u{8}\u{c}"),
        ])
    func escapes(_ text: String, _ expected: String) throws {
        #expect(try JSONValue(parsing: text).string == expected)
    }

    @Test(
        "malformed documents are refused, never a crash",
        arguments: [
            "", " ", "{", "[1,", "[1,]", #"{"a" 1}"#, "{a:1}", "nul", "01", "-", "1.", "1e", "\"", "\"\\u12\"",
            "\"\u{1}\"",
            "[] []", #"{"a":1,}"#, "+1",
        ])
    func malformed(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test("nesting is bounded")
    func depth() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSONError.self) { try JSONValue(parsing: deep) }
    }

    @Test("of duplicate members the last one counts")
    func duplicates() throws {
        #expect(try JSONValue(parsing: #"{"a":1,"a":2}"#)["a"] == 2)
    }

    @Test("indented output looks like docker inspect's")
    func indented() {
        let value: JSONValue = ["Id": "x", "List": [1, 2], "Empty": [], "None": nil]
        let expected = """
            {
                "Id": "x",
                "List": [
                    1,
                    2
                ],
                "Empty": [],
                "None": null
            }
            """
        #expect(value.serialized(.pretty) == expected)
    }

    @Test(
        "what must be escaped is, and all around it stays as it is",
        arguments: [
            ("", #""""#), ("a\"b\\c", #""a\"b\\c""#),
            ("\n\r\t\u{8}\u{c}", #""\n\r\t\b\f""#),
            ("\u{1}\u{1f}", #""\u0001\u001f""#),
            ("é€😀\u{7f}", "\"é€😀\u{7f}\""),
            ("a\u{2028}b\u{2029}", #""a\u2028b\u2029""#),
            ("\u{2027}\u{202a}…", "\"\u{2027}\u{202a}…\""),
        ])
    func writesStrings(_ text: String, _ expected: String) {
        #expect(JSONValue.string(text).serialized() == expected)
    }

    @Test("a member that is set stays at its place, a new one comes last")
    func sets() {
        var value: JSONValue = ["b": 1, "a": 2]
        let before = value
        value.set("b", 3)
        value.set("c", nil)
        #expect(value.serialized() == #"{"b":3,"a":2,"c":null}"#)
        #expect(before.serialized() == #"{"b":1,"a":2}"#)
    }

    @Test("HTML characters are escaped only where Go would")
    func html() {
        #expect(JSONValue.string("<a&b>").serialized() == "\"<a&b>\"")
        #expect(JSONValue.string("<").serialized(JSONFormat(escapesHTML: true)) == #""\u003c""#)
    }
}
