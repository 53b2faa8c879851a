// SPDX-License-Identifier: Apache-2.0
import JSON
import Testing

@testable import Commands

@Suite("Credentials")
struct CredentialsTests {
    @Test("of config.json are read and written as docker does")
    func entry() throws {
        let known = try #require(Credentials(entry: ["auth": "dXNlcjpzZWM6cmV0"]))
        #expect(known == Credentials(username: "user", password: "sec:ret"))
        #expect(known.entry == ["auth": "dXNlcjpzZWM6cmV0"])
        let token = try #require(Credentials(entry: ["auth": "dXNlcjo=", "identitytoken": "t"]))
        #expect(token.identityToken == "t" && token.username == "user" && token.password.isEmpty)
        #expect(Credentials(entry: [:]) == nil)
        #expect(Credentials(entry: ["auth": "%%%"]) == nil)
    }

    @Test(
        "are kept by registry, Docker Hub under its old URL",
        arguments: [
            ("", RegistryServer.hub), ("docker.io", RegistryServer.hub), (RegistryServer.hub, RegistryServer.hub),
            ("r.example:5000", "r.example:5000"), ("https://r.example/v2/", "r.example"),
        ])
    func server(_ text: String, _ key: String) {
        #expect(RegistryServer.key(text) == key)
    }
}
