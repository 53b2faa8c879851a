// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Proxies

@Suite("Proxies")
struct ProxySettingsTests {
    private func host(_ environment: [String: String], _ scheme: String, _ authority: String) -> String? {
        ProxySettings { environment[$0] }.server(scheme: scheme, authority: authority).map { "\($0.host):\($0.port)" }
    }

    @Test("are chosen by scheme, in capitals or not")
    func scheme() {
        let environment = ["HTTP_PROXY": "http://u:p@p.example:3128/", "https_proxy": "q.example"]
        #expect(host(environment, "http", "r.example") == "p.example:3128")
        #expect(host(environment, "https", "r.example") == "q.example:80")
        #expect(host([:], "https", "r.example") == nil)
        #expect(ProxySettings { environment[$0] }.server(scheme: "http", authority: "x.y")?.user == "u:p")
    }

    @Test(
        "are left out for loopback and for what NO_PROXY names",
        arguments: [
            ("localhost:5000", true), ("127.0.0.1:5000", true), ("[::1]:5000", true), ("a.example", true),
            ("sub.a.example:5000", true), ("xa.example", false), ("sub.b.example", true), ("b.example", false),
            ("10.1.2.3", true), ("10.2.0.1", false), ("c.example:81", true), ("c.example:82", false),
        ])
    func exceptions(_ authority: String, _ isDirect: Bool) {
        let environment = [
            "HTTPS_PROXY": "http://p.example:1", "NO_PROXY": "a.example, .b.example,10.1.0.0/16,c.example:81",
        ]
        #expect((host(environment, "https", authority) == nil) == isDirect)
    }

    @Test("all of it can be turned off")
    func star() {
        #expect(host(["HTTPS_PROXY": "http://p.example:1", "NO_PROXY": "*"], "https", "r.example") == nil)
    }
}
