// SPDX-License-Identifier: Apache-2.0
import Engine
import LinuxSystem
import Testing

@testable import EngineHTTP

@Suite("Queries, headers and dates")
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

    @Test("refuses what is no number")
    func numbers() throws {
        #expect(try Query("h=24").int("h") == 24)
        #expect(try Query("").int("h") == nil)
        #expect(throws: EngineError.invalidArgument("strconv.Atoi: parsing \"x\": invalid syntax")) {
            try Query("h=x").int("h")
        }
    }

    @Test(
        "reads credentials",
        arguments: ["eyJ1c2VybmFtZSI6ImEiLCJwYXNzd29yZCI6ImIifQ==", "eyJ1c2VybmFtZSI6ImEiLCJwYXNzd29yZCI6ImIifQ"])
    func credentials(_ header: String) throws {
        let credentials = try RegistryAuth.credentials(header)
        #expect(credentials.username == "a")
        #expect(credentials.secret == "b")
        #expect(try RegistryAuth.credentials("e30=").isEmpty)
        #expect(try RegistryAuth.credentials(nil).isEmpty)
        #expect(throws: EngineError.self) { try RegistryAuth.credentials("!") }
    }

    @Test(
        "writes dates",
        arguments: [(0, "Thu, 01 Jan 1970 00:00:00 GMT"), (1_795_226_963, "Sat, 21 Nov 2026 02:09:23 GMT")])
    func dates(_ seconds: Int64, _ expected: String) {
        #expect(httpDate(Timestamp(nanoseconds: seconds * 1_000_000_000)) == expected)
    }

    @Test("refuses versions in docker's words")
    func versions() throws {
        try APIVersion(1, 24).checkSupported()
        try APIVersion(1, 50).checkSupported()
        #expect(
            throws: EngineError.invalidArgument("client version 1.99 is too new. Maximum supported API version is 1.50")
        ) {
            try APIVersion(1, 99).checkSupported()
        }
        #expect(
            throws: EngineError.invalidArgument(
                "client version 1.21 is too old. Minimum supported API version is 1.22, please upgrade your client to a newer version"
            )
        ) { try APIVersion(1, 21).checkSupported() }
    }
}
