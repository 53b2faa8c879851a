// SPDX-License-Identifier: Apache-2.0
import JSON
import Testing

@testable import Engine

@Suite("YAML")
struct YAMLReaderTests {
    @Test(
        "says the same as JSON",
        arguments: [
            ("", "null"), ("# nothing\n---\n", "null"), ("a", #""a""#), ("a: 1", #"{"a":1}"#),
            ("a: 1\nb: 'it''s'\nc: \"x\\ty\\u00e9\"\n", #"{"a":1,"b":"it's","c":"x\tyé"}"#),
            ("a:\n  b:\n    - 1\n    - two # comment\n  c: ~\n", #"{"a":{"b":[1,"two"],"c":null}}"#),
            ("a:\n- x: 1\n  y: 2\n-   x: 3\nb: true\n", #"{"a":[{"x":1,"y":2},{"x":3}],"b":true}"#),
            (
                "- - 1\n  - 2\n- [3, {a: b, 'c d': \"e,f\"}]\n-\n  k: v\n",
                #"[[1,2],[3,{"a":"b","c d":"e,f"}],{"k":"v"}]"#
            ),
            ("a: [1,\n  2,\n 3]\nb: {}\n", #"{"a":[1,2,3],"b":{}}"#),
            ("a: |\n  one\n   two\n\nb: >-\n  x\n  y\n", #"{"a":"one\n two\n","b":"x y"}"#),
            (
                "path: /dev/nvidia0\nurl: http://a:1/#b\nmode: 0o666\nkind: a.com/b=c\n",
                #"{"path":"/dev/nvidia0","url":"http://a:1/#b","mode":438,"kind":"a.com/b=c"}"#
            ),
            ("\"quoted key\": x\nversion: 0.5.0\nv: 1.5\n", #"{"quoted key":"x","version":"0.5.0","v":"1.5"}"#),
            ("a: b\r\nc:\r\n- d\r\n", #"{"a":"b","c":["d"]}"#),
            ("- a\n  - b\n- {a 1}\n", #"["a - b",{"a 1":null}]"#),
        ])
    func reads(_ yaml: String, _ json: String) throws {
        #expect(try YAMLReader.parse(yaml) == JSONValue(parsing: Array(json.utf8)))
    }

    @Test(
        "refuses what it does not know, and what is broken",
        arguments: [
            "a: &x 1\nb: *x", "a: !!str 1", "? [a]\n: b", "a: 1\na: 2", "--- 1\n--- 2", "a: [1", "a: \"x",
            "a: 1\n  b: 2",
            "\ta: 1",
            "a: [1 2]x", "a: {b: 1]", String(repeating: "[", count: 1000),
            String(repeating: "- ", count: 1000),
        ])
    func refuses(_ yaml: String) {
        #expect(throws: YAMLReader.Failure.self) { try YAMLReader.parse(yaml) }
    }
}
