// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Testing

@testable import Engine

@Suite("Registry hosts for the supervisor")
struct RegistryHostsTests {
    private func hosts() -> RegistryHosts {
        let configuration = EngineConfiguration(dataRoot: FilePath("/d"), execRoot: FilePath("/e"))
        configuration.insecureRegistries = ["r.example:5000", "10.1.0.0/16"]
        configuration.registryMirrors = ["https://m.example", "http://n.example:5000"]
        return RegistryHosts(configuration)
    }

    @Test("mirrors serve Docker Hub alone")
    func mirrors() throws {
        let text = try #require(hosts().text(for: "docker.io"))
        #expect(
            text == """
                # Written by swrund from its configuration.
                server = "https://registry-1.docker.io"

                [host."https://m.example"]
                  capabilities = ["pull", "resolve"]

                [host."http://n.example:5000"]
                  capabilities = ["pull", "resolve"]

                """)
        #expect(hosts().text(for: "quay.example") == nil)
    }

    @Test("insecure registries, by name or network, are asked over https without a check, then over http")
    func insecure() {
        for domain in ["r.example:5000", "10.1.2.3:80"] {
            #expect(
                hosts().text(for: domain) == """
                    # Written by swrund from its configuration.
                    server = "http://\(domain)"
                    skip_verify = true

                    [host."https://\(domain)"]
                      skip_verify = true

                    """)
        }
        #expect(hosts().text(for: "r.example") == nil)
        #expect(hosts().text(for: "10.2.0.1") == nil)
    }
}
