// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import Testing

@Suite("Filters")
struct FiltersTests {
    @Test(
        "reads both forms",
        arguments: [
            #"{"name":{"a":true,"b":true}}"#, #"{"name":["a","b"]}"#, #"{"name":{"a":true,"c":false,"b":true}}"#,
        ])
    func forms(_ text: String) throws {
        let filters = try Filters(parsing: text)
        #expect(filters.values("name") == ["a", "b"])
        #expect(filters.contains("name"))
        #expect(!filters.contains("label"))
    }

    @Test("no filters", arguments: [nil, "", "{}"] as [String?])
    func none(_ text: String?) throws { #expect(try Filters(parsing: text).isEmpty) }

    @Test("refuses other JSON", arguments: ["[]", "x", "{\"a\":1}", "{\"a\":{\"b\":\"c\"}}", "{\"a\":[1]}"])
    func malformed(_ text: String) {
        #expect(throws: FilterError("invalid filter")) { try Filters(parsing: text) }
    }

    @Test("refuses unknown keys and values that are no flags")
    func checks() throws {
        let filters = try Filters(parsing: #"{"dangling":["x"],"nosuch":["y"]}"#)
        #expect(throws: FilterError("invalid filter 'nosuch'")) { try filters.allow(only: ["dangling"]) }
        #expect(throws: FilterError("invalid filter 'dangling=[x]'")) { try filters.bool("dangling") }
        #expect(try Filters(parsing: #"{"dangling":["1"]}"#).bool("dangling") == true)
        #expect(try Filters(parsing: #"{"dangling":["x","true"]}"#).bool("dangling") == true)
        #expect(try Filters().bool("dangling") == nil)
    }

    @Test(
        "names match as regular expressions",
        arguments: [
            ("web", "my-web-1", true), ("^web", "my-web", false), ("^web$", "web", true), ("b$", "web", true),
            ("x", "web", false), ("up|down", "/down", true), ("^/(a|b)_[0-9]+$", "/b_12", true),
            ("^/(a|b)_[0-9]+$", "/b_1x", false), ("w.*b", "wb", true), ("w.+b", "wb", false),
            ("^w[^x-z]b", "wyb", false),
            ("e{2,3}$", "wee", true), ("^e{2,3}$", "eeee", false), ("web{", "web{", true), ("(?:a|b)?c", "c", true),
            ("[", "[", true), ("[", "web", false), ("a**", "aa", false), ("a*?b", "aab", true), ("", "web", true),
            ("(a*)*$", "aaaa", true), ("^(a|a)*(a|a)*(a|a)*b$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("((a{1000}){1000}){1000}", "a", false), ("[[:digit:]_-]b", "-b", true), ("[a-]b", "-b", true),
        ])
    func names(_ pattern: String, _ name: String, _ expected: Bool) throws {
        let filters = try Filters(parsing: "{\"name\":[\"\(pattern)\"]}")
        #expect(filters.matches("name", within: name) == expected)
    }

    @Test(
        "labels must all match",
        arguments: [
            (#"{"label":["a"]}"#, true), (#"{"label":["a=1"]}"#, true), (#"{"label":["a=2"]}"#, false),
            (#"{"label":["a","b"]}"#, false), (#"{"label!":["a"]}"#, false), (#"{"label!":["b"]}"#, true),
        ])
    func labels(_ text: String, _ expected: Bool) throws {
        #expect(try Filters(parsing: text).matches(labels: [("a", "1")]) == expected)
    }

    @Test(
        "shell patterns",
        arguments: [
            ("busy*", "busybox", true), ("busy*", "busy/box", false), ("*/*", "a/b", true), ("b?x", "box", true),
            ("[a-c]x", "bx", true), ("[^a-c]x", "bx", false), ("a\\*", "a*", true), ("a[", "a[", false), ("", "", true),
            ("*a*/b*c", "xay/bxcc", true), ("*a*b", "a/ab", false), ("a*", "a", true), ("**", "", true),
            ("*", "/", false),
            ("*b", "abab", true), ("*", "", true), ("\\", "\\", false), ("", "a", false),
        ])
    func glob(_ pattern: String, _ text: String, _ expected: Bool) {
        #expect(Glob.matches(pattern, text) == expected)
    }

    @Test("a pattern of many stars takes no time", .timeLimit(.minutes(1)))
    func stars() {
        let pattern = String(repeating: "*a", count: 60) + "b"
        #expect(!Glob.matches(pattern, String(repeating: "a", count: 250)))
    }
}
