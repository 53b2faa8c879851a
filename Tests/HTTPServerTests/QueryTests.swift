// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Testing

@testable import HTTPServer

@Suite("Queries and dates")
struct QueryTests {
    @Test("decodes")
    func decodes() {
        let query = Query("a=1&b=x%20y+z&c&d=%zz&a=2&e=%E2%82%AC")
        #expect(query.get("a") == "1")
        #expect(query.all("a") == ["1", "2"])
        #expect(query.get("b") == "x y z")
        #expect(query.get("c")?.isEmpty == true)
        #expect(query.get("d") == "%zz")
        #expect(query.get("e") == "€")
        #expect(query.get("f") == nil)
    }

    @Test(
        "reads flags as docker does",
        arguments: [
            ("", false), ("0", false), ("no", false), ("False", false), ("none", false), ("1", true), ("true", true),
            ("x", true),
        ])
    func flags(_ text: String, _ expected: Bool) { #expect(Query("a=\(text)").bool("a") == expected) }

    @Test(
        "writes dates",
        arguments: [(0, "Thu, 01 Jan 1970 00:00:00 GMT"), (1_795_226_963, "Sat, 21 Nov 2026 02:09:23 GMT")])
    func dates(_ seconds: Int64, _ expected: String) {
        #expect(httpDate(Timestamp(nanoseconds: seconds * 1_000_000_000)) == expected)
    }
}
