// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Registry

@Suite("WWW-Authenticate")
struct AuthChallengeTests {
    @Test("reads what registries send")
    func bearer() {
        let header =
            #"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#
        let challenges = AuthChallenge.parse(header)
        #expect(challenges.count == 1)
        #expect(challenges.first?.scheme == "bearer")
        #expect(
            challenges.first?.parameters == [
                "realm": "https://auth.example/token", "service": "registry.example",
                "scope": "repository:a/b:pull,push",
            ])
    }

    @Test(
        "reads several challenges, odd spaces, tokens and escapes",
        arguments: [
            (#"Basic realm="a", Bearer realm="b""#, ["basic", "bearer"], "b"),
            (#"BEARER  Realm=b , x=1"#, ["bearer"], "b"),
            (#"Negotiate, Basic realm="a\"b""#, ["negotiate", "basic"], #"a"b"#),
            (#"Bearer realm=""#, ["bearer"], nil),
            (#"Bearer realm="unterminated"#, ["bearer"], nil),
            ("", [], nil), ("=", [], nil), (",,,", [], nil), (#"realm="x""#, [], nil),
        ] as [(String, [String], String?)])
    func odd(_ header: String, _ schemes: [String], _ realm: String?) {
        let challenges = AuthChallenge.parse(header)
        #expect(challenges.map { $0.scheme } == schemes)
        #expect(challenges.last?.parameters["realm"] == realm)
    }
}

@Suite("Registry endpoints")
struct RegistryEndpointTests {
    private func bases(_ domain: String, _ configuration: RegistryConfiguration = RegistryConfiguration()) throws
        -> [String]
    {
        try configuration.endpoints(for: domain).map { $0.base }
    }

    @Test(
        "loopback may speak plain HTTP, others must not",
        arguments: [
            ("localhost:5000", 2), ("127.0.0.1:5000", 2), ("127.9.9.9", 2), ("[::1]:5000", 2), ("example.com", 1),
            ("10.0.0.1:5000", 1), ("localhost.example.com", 1), ("127.0.0.1.example.com", 1),
        ])
    func loopback(_ domain: String, _ count: Int) throws {
        let found = try bases(domain)
        #expect(found.count == count)
        #expect(found.first == "https://" + domain)
        if count == 2 { #expect(found.last == "http://" + domain) }
    }

    @Test("insecure registries are named by host, by host and port, or by network")
    func insecure() throws {
        let configuration = RegistryConfiguration(insecureRegistries: [
            "a.example", "b.example:5000", "10.1.0.0/16", "fd00::/8",
        ])
        for domain in ["a.example", "a.example:80", "b.example:5000", "10.1.2.3:5000", "[fd12::1]:5000"] {
            #expect(try bases(domain, configuration).count == 2, "\(domain)")
        }
        for domain in ["b.example", "b.example:5001", "10.2.0.1", "[fe80::1]"] {
            #expect(try bases(domain, configuration).count == 1, "\(domain)")
        }
    }

    @Test("mirrors are for the Hub, in their order, before it")
    func mirrors() throws {
        let configuration = RegistryConfiguration(mirrors: [
            "https://m.example/", "http://n.example:80/sub", "o.example", "://",
        ])
        #expect(
            try bases("docker.io", configuration) == [
                "https://m.example", "http://n.example:80/sub", "https://o.example", "https://registry-1.docker.io",
            ])
        #expect(try bases("quay.io", configuration) == ["https://quay.io"])
    }
}

@Suite("Redirects")
struct RemoteURLTests {
    @Test(
        "lead where RFC 3986 says, or nowhere",
        arguments: [
            ("/x?y", "https://a.example/x?y"), ("//b.example/x", "https://b.example/x"),
            ("http://b.example", "http://b.example/"), ("HTTPS://B.example/x#f", "https://b.example/x"),
            ("z", "https://a.example/v2/z"), ("file:///etc/passwd", nil), ("https://u:p@b.example/", nil),
            ("https:///x", nil), ("https://b.example\\@c/", nil), ("https://b example/", nil), ("/a\r\nb", nil),
        ] as [(String, String?)])
    func redirect(_ location: String, _ expected: String?) throws {
        let base = try #require(RemoteURL("https://a.example/v2/blob?q"))
        #expect(base.redirected(to: location)?.string == expected)
    }

    @Test("an origin is scheme, host and port")
    func origin() throws {
        let base = try #require(RemoteURL("https://a.example/x"))
        for (text, same) in [
            ("https://A.example/y", true), ("http://a.example/", false), ("https://a.example:444/", false),
            ("https://b.a.example/", false),
        ] {
            #expect(try #require(RemoteURL(text)).hasOrigin(of: base) == same)
        }
    }
}
