// SPDX-License-Identifier: Apache-2.0
import DockerAPI
import JSON
import Testing

@testable import Engine

@Suite("Registry service")
struct RegistryServiceTests {
    @Test(
        "finds the registry in what clients send as a server",
        arguments: [
            ("", "docker.io"), ("https://index.docker.io/v1/", "docker.io"), ("registry-1.docker.io", "docker.io"),
            ("r.example:5000", "r.example:5000"), ("https://r.example/v1/", "r.example"),
            ("http://r.example", "r.example"),
        ])
    func domain(_ server: String, _ expected: String) {
        #expect(RegistryService.domain(server) == expected)
    }

    @Test(
        "search results pass filters",
        arguments: [
            (#"{}"#, true), (#"{"stars":["5"]}"#, true), (#"{"stars":["5","6"]}"#, false),
            (#"{"is-official":["true"]}"#, true), (#"{"is-official":["false"]}"#, false),
            (#"{"is-automated":["true"]}"#, false),
        ])
    func filter(_ text: String, _ passes: Bool) throws {
        let filter = try SearchFilter(Filters(parsing: text))
        #expect(filter.passes(["star_count": 5, "is_official": true]) == passes)
    }

    @Test(
        "a platform is told as the image has it",
        arguments: [
            (
                #"{"os":"linux","architecture":"arm64","variant":"v8","config":{}}"#,
                #"{"architecture":"arm64","os":"linux","variant":"v8"}"#
            ),
            (#"{"architecture":"arm","os":"linux"}"#, #"{"architecture":"arm","os":"linux"}"#),
            (
                #"{"os.features":["x"],"os.version":"10","os":"windows","architecture":"amd64"}"#,
                #"{"architecture":"amd64","os":"windows","os.version":"10","os.features":["x"]}"#
            ),
        ])
    func platform(_ document: String, _ expected: String) throws {
        #expect(RegistryService.platform(try JSONValue(parsing: Array(document.utf8))).serialized() == expected)
    }

    @Test("filters that make no sense are refused", arguments: [#"{"stars":["x"]}"#, #"{"a":["b"]}"#])
    func refused(_ text: String) throws {
        let filters = try Filters(parsing: text)
        #expect(throws: EngineError.self) { try SearchFilter(filters) }
    }
}
