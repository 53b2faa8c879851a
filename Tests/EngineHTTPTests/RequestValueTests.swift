// SPDX-License-Identifier: Apache-2.0
import Engine
import HTTPServer
import Testing

@testable import EngineHTTP

@Suite("What requests of the Engine API say")
struct RequestValueTests {
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
        let credentials = RegistryAuth.credentials(header)
        #expect(credentials.username == "a")
        #expect(credentials.secret == "b")
        #expect(RegistryAuth.credentials("e30=").isEmpty)
        #expect(RegistryAuth.credentials(nil).isEmpty)
        #expect(RegistryAuth.credentials("!").isEmpty)
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

    @Test(
        "takes the version off",
        arguments: [
            ("/v1.41/info", "1.41", "/info"), ("/info", nil, "/info"), ("/v1.41", nil, "/v1.41"),
            ("/volumes/v1.4", nil, "/volumes/v1.4"), ("/v1/info", nil, "/v1/info"), ("/v1.x/info", nil, "/v1.x/info"),
        ] as [(String, String?, String)])
    func version(_ path: String, _ version: String?, _ rest: String) {
        let split = Dispatcher.splitVersion(path)
        #expect(split.version?.description == version)
        #expect(split.path == rest)
    }
}
