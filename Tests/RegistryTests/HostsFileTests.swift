// SPDX-License-Identifier: Apache-2.0
import JSON
import LinuxSystem
import Testing

@testable import Registry

@Suite("TOML")
struct TOMLReaderTests {
    private func read(_ text: String) throws -> [TOMLReader.Entry] { try TOMLReader.read(Array(text.utf8)) }

    @Test("tables, quoted names, strings, arrays and comments are read in their order")
    func read() throws {
        let entries = try read(
            """
            # head
            server = "https://a\\"b"   # tail
            [host."https://m.example"]
              capabilities = [ "pull", # one
                'resolve', ]
              skip_verify = true
            [host.'x'.header]
            n.m = -3
            """)
        #expect(
            entries == [
                .init(path: ["server"], value: "https://a\"b"), .init(path: ["host", "https://m.example"], value: [:]),
                .init(path: ["host", "https://m.example", "capabilities"], value: ["pull", "resolve"]),
                .init(path: ["host", "https://m.example", "skip_verify"], value: true),
                .init(path: ["host", "x", "header"], value: [:]),
                .init(path: ["host", "x", "header", "n", "m"], value: -3),
            ])
    }

    @Test(
        "anything else is refused with its line",
        arguments: [
            ("a", 1), ("\na = ", 2), ("a = \"x", 1), ("a = 1 b = 2", 1), ("[a", 1), ("[[a]]", 1), ("a = 1.5", 1),
            ("a = [1", 1), ("a = {x = 1}", 1), ("= 1", 1), ("a = 1\na = 2", 2), ("a = \"\\u0041\"", 1),
        ])
    func refused(_ text: String, _ line: Int) {
        #expect {
            try read(text)
        } throws: { ($0 as? TOMLReader.Malformed)?.line == line }
    }

    @Test("deep nesting ends early")
    func deep() {
        #expect(throws: TOMLReader.Malformed.self) { try read("a = " + String(repeating: "[", count: 100_000)) }
    }
}

@Suite("Registry host configuration")
struct HostsFileTests {
    private func endpoints(_ text: String, _ domain: String = "r.example") throws -> [RegistryEndpoint] {
        try HostsFile.parse(Array(text.utf8), for: domain, place: FilePath("/c"))
    }

    @Test("mirrors come before the server, with their rules")
    func mirrors() throws {
        let found = try endpoints(
            """
            server = "https://registry-1.docker.io"
            [host."http://m.example:5000/sub"]
              capabilities = ["pull", "resolve"]
            [host."n.example"]
              override_path = true
              skip_verify = true
              ca = ["x.crt", "/y.crt"]
              client = [["c.pem", "k.pem"]]
            """, "docker.io")
        #expect(
            found.map { $0.url("x") } == [
                "http://m.example:5000/sub/v2/x", "https://n.example/x", "https://registry-1.docker.io/v2/x",
            ])
        #expect(found.map { $0.isMirror } == [true, true, false])
        #expect(found.map { $0.canPush } == [false, true, true])
        #expect(found[1].isInsecure && found[1].trust.roots == ["/c/x.crt", "/y.crt"])
        #expect(found[1].trust.client == ["/c/c.pem", "/c/k.pem"])
    }

    @Test("the registry may be listed under its own name, and is no mirror then")
    func own() throws {
        let found = try endpoints("server = \"http://r.example\"\n[host.\"https://r.example\"]\nskip_verify = true\n")
        #expect(found.map { $0.base } == ["https://r.example", "http://r.example"])
        #expect(found.allSatisfy { !$0.isMirror } && found[0].isInsecure)
        #expect(try endpoints("").map { $0.base } == ["https://r.example"])
    }

    @Test(
        "what is unknown or makes no sense is refused",
        arguments: ["x = 1", "[host.\"://\"]", "[host.a]\ncapabilities = 1", "[host.a]\nx = 1", "[host.a]\nca = 1"])
    func refused(_ text: String) {
        #expect(throws: HostsFile.Malformed.self) { try endpoints(text) }
    }
}

@Suite("Lists of tags")
struct TagPageTests {
    @Test("go on where the registry says, in the same repository only")
    func next() throws {
        for (link, path) in [
            ("</v2/a/tags/list?n=1&last=x>; rel=\"next\"", "tags/list?n=1&last=x"),
            ("<https://evil.example/v2/a/tags/list?n=1>; rel=\"next\"", "tags/list?n=1"),
            ("</v2/a/other?n=1>; rel=\"next\"", nil), ("</v2/a/tags/list?n=1>; rel=\"prev\"", nil), ("", nil),
        ] as [(String, String?)] {
            #expect(ResponseHeader.nextPage(link) == path)
        }
    }
}
